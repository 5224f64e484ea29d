import { decodeAggregate } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext } from '@org/kinesis-core/testing'
import { type FaultPlan, type Local, startLocal } from '@org/kinesis-local'
import { kinesisHandler, parseJson } from '@org/kinesis-processor'
import { kinesisSink } from '@org/kinesis-processor/kinesis'
import { KinesisProducer, type KinesisProducerOptions } from '@org/kinesis-producer'
import { describe, expect, it } from 'vitest'

const KEYS = 8
const RECORDS = 400

/** Records as a consumer reads them: key and number, shard by shard. */
function contents({ kinesis }: Local): { key: string; n: number }[] {
  const { Shards } = kinesis.call('ListShards', { StreamName: 'copies' }) as { Shards: { ShardId: string }[] }
  return Shards.flatMap(({ ShardId }) => {
    const position = { StreamName: 'copies', ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    const { ShardIterator } = kinesis.call('GetShardIterator', position) as { ShardIterator: string }
    const page = kinesis.call('GetRecords', { ShardIterator }) as {
      Records: { Data: Uint8Array; PartitionKey: string }[]
    }
    return page.Records.flatMap(({ Data, PartitionKey }) => {
      const decoded = decodeAggregate(Data)
      const records =
        decoded.kind === 'aggregated' ? decoded.records : [{ partitionKey: PartitionKey, data: Data }]
      return records.map(({ partitionKey, data }) => ({
        key: partitionKey,
        n: (parseJson(data) as { n: number }).n,
      }))
    })
  })
}

/** Repeats of what was read before change nothing for a reader who keeps what is new. */
function firstReads(records: { key: string; n: number }[], key: string): number[] {
  return [...new Set(records.filter((record) => record.key === key).map(({ n }) => n))]
}

async function copyWith(
  options: Partial<KinesisProducerOptions>,
  { producerKeepsOrder, faults }: { producerKeepsOrder: boolean; faults?: FaultPlan },
) {
  const local = await startLocal({ streams: [{ name: 'copies', shards: 2 }], ...(faults && { faults }) })
  const producer = new KinesisProducer({
    streamName: 'copies',
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    backoffBaseMs: 5,
    ...options,
  } as KinesisProducerOptions)
  const rejected: string[] = []
  const handler = kinesisHandler({
    decode: parseJson,
    sink: kinesisSink<unknown>({ producer, producerKeepsOrder }),
    rejected: {
      async write(records) {
        rejected.push(...records.map(({ partitionKey }) => partitionKey))
        return records.map(() => ({ stored: true }))
      },
    },
    backoffBaseMs: 1,
    deadlineMarginMs: 100,
    onUnresolved: () => {},
  })
  return { local, producer, handler, rejected }
}

const events = Array.from({ length: RECORDS }, (_, n) => ({ partitionKey: `key-${n % KEYS}`, data: { n } }))
const ofKey = (key: string) =>
  events.filter(({ partitionKey }) => partitionKey === key).map(({ data }) => data.n)

/** Hands the batch to the handler again from where it stopped, as Lambda does, until it is done. */
async function drain(
  handler: Awaited<ReturnType<typeof copyWith>>['handler'],
  timeoutMs: number,
): Promise<number> {
  let { Records } = kinesisEvent(events)
  for (let invocations = 1; ; invocations++) {
    const { batchItemFailures } = await handler({ Records }, lambdaContext({ timeoutMs }))
    const from = batchItemFailures[0]?.itemIdentifier
    if (from === undefined) return invocations
    Records = Records.slice(Records.findIndex(({ kinesis }) => kinesis.sequenceNumber === from))
  }
}

describe('a Kinesis sink with our producer', () => {
  it.each<[string, Partial<KinesisProducerOptions>, boolean]>([
    ['one record of a key after the other', {}, false],
    [
      'all at once, order kept by the producer, in aggregates',
      { ordering: 'per-key', onExpired: 'halt-key', aggregation: true },
      true,
    ],
  ])(
    'copies a stream in order per key, whatever fails on the way: %s',
    async (_, options, producerKeepsOrder) => {
      let requests = 0
      const faults: FaultPlan = ({ operation }) => {
        if (operation !== 'PutRecords') return undefined
        requests += 1
        if (requests % 4 === 1) return { kind: 'partial', fraction: 0.3 }
        return requests % 4 === 3 ? { kind: 'reset-after' } : undefined
      }
      const { local, producer, handler, rejected } = await copyWith(
        { maxBatchRecords: 20, ...options },
        { producerKeepsOrder, faults },
      )
      try {
        await drain(handler, 30_000)

        const copies = contents(local)
        for (let key = 0; key < KEYS; key++) {
          expect(firstReads(copies, `key-${key}`)).toEqual(ofKey(`key-${key}`))
        }
        expect(rejected).toEqual([])
      } finally {
        await producer.close({ deadlineMs: 0 })
        await local.close()
      }
    },
  )

  it('stops in time when the stream gives no answer, and goes on where it stopped', async () => {
    let isDown = true
    const faults: FaultPlan = ({ operation }) =>
      isDown && operation === 'PutRecords' ? { kind: 'throttle' } : undefined
    const { local, producer, handler } = await copyWith(
      { ordering: 'per-key', onExpired: 'halt-key' },
      { producerKeepsOrder: true, faults },
    )
    try {
      const startedAtMs = Date.now()
      const { batchItemFailures } = await handler(kinesisEvent(events), lambdaContext({ timeoutMs: 1_000 }))
      const tookMs = Date.now() - startedAtMs
      isDown = false
      await drain(handler, 30_000)

      expect(batchItemFailures).toEqual([
        { itemIdentifier: kinesisEvent(events).Records[0]!.kinesis.sequenceNumber },
      ])
      expect(tookMs).toBeLessThan(3_000)
      const copies = contents(local)
      for (let key = 0; key < KEYS; key++) {
        expect(firstReads(copies, `key-${key}`)).toEqual(ofKey(`key-${key}`))
      }
    } finally {
      await producer.close({ deadlineMs: 0 })
      await local.close()
    }
  })

  it('rejects the one record that is too large for the stream', async () => {
    const { local, producer, handler, rejected } = await copyWith({}, { producerKeepsOrder: false })
    try {
      const response = await handler(
        kinesisEvent([
          { partitionKey: 'a', data: { n: 1 } },
          { partitionKey: 'b', data: { n: 2, text: 'x'.repeat(1024 * 1024) } },
          { partitionKey: 'b', data: { n: 3 } },
        ]),
        lambdaContext(),
      )

      expect(response).toEqual({ batchItemFailures: [] })
      expect(rejected).toEqual(['b'])
      expect(
        contents(local)
          .map(({ n }) => n)
          .sort(),
      ).toEqual([1, 3])
    } finally {
      await producer.close()
      await local.close()
    }
  })
})
