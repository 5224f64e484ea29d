import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis'
import { startLocal } from '@org/kinesis-local'

const local = await startLocal({ streams: [{ name: 'orders', shards: 2 }] })
const kinesis = new KinesisClient({
  endpoint: local.url,
  region: local.region,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
})
const StreamName = 'orders'

const Data = Buffer.from('an order')
const { ShardId } = await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: 'customer-1', Data }))
const { ShardIterator } = await kinesis.send(
  new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
)
const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }))
console.log(Records.map((record) => `${record.PartitionKey}: ${Buffer.from(record.Data!)}`).join('\n'))

kinesis.destroy()
await local.close()
