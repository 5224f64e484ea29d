// Run as a process of its own, which the test kills: puts records with a spool, and prints the number of each when its put has returned.
import { writeSync } from 'node:fs'
import { KinesisProducer } from '@org/kinesis-producer'

const { first, records, keys, ...options } = JSON.parse(process.argv[2])
const producer = new KinesisProducer({
  streamName: 'orders',
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  ...options,
})
await producer.ready()
writeSync(1, `ready ${producer.stats().recovered}\n`)
for (let number = first; number < first + records; number++) {
  producer.put({ partitionKey: `key-${number % keys}`, data: `${number}` }).catch(() => {})
  writeSync(1, `put ${number}\n`)
  // In between some wait for room.
  if (number % 40 === 39) await producer.ready()
}
await producer.close()
