import { type Local, startLocal } from '@org/kinesis-local'
import { afterEach, describe, expect, it } from 'vitest'
import {
  KinesisProducer,
  type KinesisProducerOptions,
  type ProducerError,
  RecordTooLargeError,
} from '../src/index.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function aStream(
  maxRecordKiB?: number,
  options: Parameters<typeof startLocal>[0] = {},
): Promise<Local> {
  const local = await startLocal({ streams: [{ name: 'orders' }], ...options })
  cleanups.push(() => local.close())
  const StreamARN = `arn:aws:kinesis:us-east-1:${local.accountId}:stream/orders`
  if (maxRecordKiB !== undefined)
    local.kinesis.call('UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: maxRecordKiB })
  return local
}

/** One that has room for a record at a time: a large one waits for it, and nothing is put meanwhile. */
function aNarrowProducer(local: Local, options: Partial<KinesisProducerOptions> = {}) {
  const producer = new KinesisProducer({
    streamName: 'orders',
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxBufferedBytes: 1,
    ...options,
  })
  cleanups.push(() => producer.close({ deadlineMs: 0 }))
  return producer
}

const large = { partitionKey: 'k', data: Buffer.alloc(1_500_000) }
const small = { partitionKey: 'k', data: 'small' }

describe("a record above the usual limit, where the stream's own is not known", () => {
  it.each([{}, { ordering: 'per-key' as const }, { aggregation: true as const }])(
    'goes on after it waited for room, if the stream takes it: %j',
    async (options) => {
      const producer = aNarrowProducer(await aStream(2_048), options)
      const puts = [small, large, small].map((record) => producer.put(record))

      expect(await Promise.all(puts)).toHaveLength(3)
    },
  )

  it.each([{}, { ordering: 'per-key' as const }, { aggregation: true as const }])(
    'fails after it waited for room, if the stream does not, and holds nobody up: %j',
    async (options) => {
      const producer = aNarrowProducer(await aStream(), options)
      const outcomes = [small, large, large, small].map((record) =>
        producer.put(record).then(
          () => 'delivered',
          (error: ProducerError) => error,
        ),
      )

      const [first, second, third, last] = await Promise.all(outcomes)
      expect([first, last]).toEqual(['delivered', 'delivered'])
      expect([second, third]).toEqual([expect.any(RecordTooLargeError), expect.any(RecordTooLargeError)])
    },
  )

  it('has it asked for once, however many records wait for the answer', async () => {
    let asked = 0
    const local = await aStream(undefined, {
      onRequest: ({ operation }) => {
        if (operation === 'DescribeStreamSummary') asked++
      },
      faults: ({ operation }) =>
        operation === 'DescribeStreamSummary' ? { kind: 'stall', delayMs: 300 } : undefined,
    })
    const producer = aNarrowProducer(local, { maxBufferedBytes: 10_000_000 })
    const puts = Array.from({ length: 5 }, () => producer.put(large))

    const outcomes = await Promise.allSettled(puts)
    expect(outcomes.map(({ status }) => status)).toEqual(puts.map(() => 'rejected'))
    expect(asked).toBe(1)
  })
})
