# The consumer test of the tutorial that the demo comes from, unchanged but for the name of the stream, which is its argument.
import boto3
import json
import sys
import time

def test_kinesis_consumer(stream_name):
    kinesis = boto3.client('kinesis')

    response = kinesis.describe_stream(StreamName=stream_name)
    shards = response['StreamDescription']['Shards']

    for shard in shards:
        shard_id = shard['ShardId']

        iterator_response = kinesis.get_shard_iterator(
            StreamName=stream_name,
            ShardId=shard_id,
            ShardIteratorType='LATEST'
        )

        shard_iterator = iterator_response['ShardIterator']

        records_response = kinesis.get_records(ShardIterator=shard_iterator)
        records = records_response['Records']

        print(f"Shard {shard_id}: {len(records)} records")

        for record in records[:5]:
            data = json.loads(record['Data'])
            print(f"  Record: {data}")

if __name__ == "__main__":
    test_kinesis_consumer(sys.argv[1])
