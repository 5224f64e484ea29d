// Run as a process of its own, which the test sends signals: puts ten records that linger, and says so.
import { closeOnSignal, KinesisProducer } from '@org/kinesis-producer'

const { listens, stops, ...options } = JSON.parse(process.argv[2])
const producer = new KinesisProducer({
  streamName: 'orders',
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  lingerMs: 60_000,
  ...options,
})
if (listens) process.on('SIGTERM', () => console.log('heard'))
const stop = closeOnSignal(producer, {
  deadlineMs: 1_000,
  onClosed: (undelivered) => console.log(`closed ${undelivered.length}`),
})
if (stops) stop()
for (let number = 0; number < 10; number++) {
  producer.put({ partitionKey: `${number}`, data: `${number}` }).catch(() => {})
}
console.log('put')
