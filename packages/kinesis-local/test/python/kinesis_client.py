# Makes a stream, writes, reads, pages and subscribes with boto3; what it saw is one line of JSON.
import boto3
import json
import sys

kinesis = boto3.client('kinesis')
name = sys.argv[1]
kinesis.create_stream(StreamName=name, ShardCount=3)
kinesis.get_waiter('stream_exists').wait(StreamName=name, WaiterConfig={'Delay': 1, 'MaxAttempts': 5})
arn = kinesis.describe_stream_summary(StreamName=name)['StreamDescriptionSummary']['StreamARN']
seen = {}

put = kinesis.put_records(StreamName=name, Records=[
    {'PartitionKey': f'key-{n}', 'Data': f'żółć-{n}'.encode()} for n in range(50)])
kinesis.put_record(StreamName=name, PartitionKey='key-50', Data='żółć-50'.encode())
seen['failed'] = put['FailedRecordCount']

read = []
for page in kinesis.get_paginator('describe_stream').paginate(StreamName=name, PaginationConfig={'PageSize': 2}):
    for shard in page['StreamDescription']['Shards']:
        iterator = kinesis.get_shard_iterator(
            StreamName=name, ShardId=shard['ShardId'], ShardIteratorType='TRIM_HORIZON')['ShardIterator']
        records = kinesis.get_records(ShardIterator=iterator)['Records']
        read += [record['Data'].decode() for record in records]
        assert all(record['ApproximateArrivalTimestamp'].year > 2000 for record in records)
seen['read'] = len(set(read))

for number in range(3):
    kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=f'consumer-{number}')
pages = kinesis.get_paginator('list_stream_consumers').paginate(StreamARN=arn, PaginationConfig={'PageSize': 2})
consumers = [consumer for page in pages for consumer in page['Consumers']]
seen['consumers'] = [consumer['ConsumerName'] for consumer in consumers]

kinesis.split_shard(StreamName=name, ShardToSplit='shardId-000000000000', NewStartingHashKey='5')
subscription = kinesis.subscribe_to_shard(
    ConsumerARN=consumers[0]['ConsumerARN'], ShardId='shardId-000000000000', StartingPosition={'Type': 'TRIM_HORIZON'})
pushed = []
for event in subscription['EventStream']:
    pushed += [record['Data'].decode() for record in event['SubscribeToShardEvent']['Records']]
    seen['children'] = [child['ShardId'] for child in event['SubscribeToShardEvent'].get('ChildShards', [])]
seen['pushed'] = 0 < len(pushed) and set(pushed) <= set(read)

# A fault of its own that boto3 shows against AWS too (boto/botocore issue 2009).
try:
    for page in kinesis.get_paginator('list_shards').paginate(StreamName=name, PaginationConfig={'PageSize': 2}):
        pass
except kinesis.exceptions.InvalidArgumentException as error:
    seen['list_shards'] = error.response['Error']['Message']
try:
    kinesis.describe_stream(StreamName='none')
except kinesis.exceptions.ResourceNotFoundException as error:
    seen['none'] = error.response['Error']['Message']
print(json.dumps(seen))
