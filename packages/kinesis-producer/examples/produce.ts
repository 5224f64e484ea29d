import { KinesisProducer, type ProducerError } from '@org/kinesis-producer'

const producer = new KinesisProducer({ streamName: 'orders', ordering: 'per-key' })

for (let order = 1; order <= 1_000; order++) {
  await producer.ready() // backpressure: waits while the buffer is full
  producer
    .put({ partitionKey: `customer-${order % 50}`, data: { order, amount: 12.5 } })
    .catch((error: ProducerError) => console.error(error.code, error.maybeDelivered, error.message))
}

await producer.flush() // everything put so far has settled
const { undelivered } = await producer.close({ deadlineMs: 10_000 })
console.log(`${producer.stats().delivered} delivered, ${undelivered.length} given up`)
