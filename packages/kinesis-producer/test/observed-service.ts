import { KinesisProducer, type KinesisProducerOptions } from '../src/index.js'
import { aService, type FaultAction } from './transport-under-test.js'

/** A local service with one stream, `orders`, and a producer for it. `faults` sees the PutRecords calls alone, numbered from 1. */
export async function aProducerOnTheWire(
  options: Partial<KinesisProducerOptions> & { shards?: number; faults?: (call: number) => FaultAction } = {},
) {
  const { shards = 1, faults, ...rest } = options
  const local = await aService({ streams: [{ name: 'orders', shards }] }, faults)
  const producer = new KinesisProducer({
    streamName: 'orders',
    endpoint: local.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    lingerMs: 5,
    backoffBaseMs: 20,
    ...rest,
  })
  return {
    local,
    producer,
    async [Symbol.asyncDispose]() {
      await producer.close({ deadlineMs: 0 })
    },
  }
}

export const numbered = (count: number, keys = count) =>
  Array.from({ length: count }, (_, index) => ({ partitionKey: `key-${index % keys}`, data: String(index) }))
