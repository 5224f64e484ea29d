import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { decodeAggregate, sleep } from '@org/kinesis-core'
import { createSimulation, faultPlan, forEachSeed, type Simulation } from '@org/kinesis-local'
import { type Decoder, kinesisHandler } from '@org/kinesis-processor'
import { dynamoDbSink } from '@org/kinesis-processor/dynamodb'
import { KinesisProducer } from '@org/kinesis-producer'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const command = 'pnpm --filter @org/streaming-stack exec vitest run test/effectively-once.test.ts'
const PAYMENTS = 200

/** Nothing in it tells a payment that was sent twice from an equal amount that was paid twice. */
interface Payment {
  account: string
  cents: number
}

const table = {
  TableName: 'payments',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
}

async function simulatedPayments(seed: number) {
  const sim = await createSimulation({
    seed,
    streams: [{ name: 'payments', shards: 2 }],
    tables: [table],
    latencyMs: { min: 1, max: 60 },
    faults: faultPlan({
      seed,
      operations: ['PutRecords', 'PutItem'],
      rates: { 'reset-after': 0.2, 'reset-amid': 0.1, stall: 0.05, partial: 0.1 },
      maxStallMs: 15_000,
    }),
  })
  const decode: Decoder<Payment> = (data) => JSON.parse(Buffer.from(data).toString())
  const handler = kinesisHandler({
    decode,
    sink: dynamoDbSink<Payment>({
      client: new DynamoDBClient(sim.clientConfiguration),
      tableName: 'payments',
      key: { partition: 'id' },
      item: (payment, { producer }) => ({ ...payment, id: `${producer?.producerId}#${producer?.sequence}` }),
      uniqueKeys: false,
      condition: () => ({ expression: 'attribute_not_exists(id)' }),
      clock: sim.clock,
      random: sim.random('sink'),
    }),
    rejected: {
      write: async () => {
        throw new Error('Nothing here is to be rejected.')
      },
    },
    clock: sim.clock,
    random: sim.random('handler'),
  })
  const mapping = sim.createEventSourceMapping({
    streamName: 'payments',
    function: sim.createFunction({ name: 'payments', handler }),
    reportBatchItemFailures: true,
  })
  const producer = new KinesisProducer({
    streamName: 'payments',
    client: new KinesisClient(sim.clientConfiguration),
    aggregation: true,
    tagRecords: `payments-${seed}`,
    recordTtlMs: 3_600_000,
    clock: sim.clock,
    random: sim.random('producer'),
  })
  return { sim, mapping, producer }
}

/** How often the stream holds each payment, by its tag. */
function copiesInStream({ kinesis }: Simulation): number[] {
  const copies = new Map<string, number>()
  const { Shards } = kinesis.call('ListShards', { StreamName: 'payments' }) as {
    Shards: { ShardId: string }[]
  }
  for (const { ShardId } of Shards) {
    const position = { StreamName: 'payments', ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    const { ShardIterator } = kinesis.call('GetShardIterator', position) as { ShardIterator: string }
    const page = kinesis.call('GetRecords', { ShardIterator }) as { Records: { Data: Uint8Array }[] }
    for (const { Data } of page.Records) {
      const decoded = decodeAggregate(Data)
      if (decoded.kind !== 'aggregated') continue
      for (const { tags } of decoded.records) {
        const tag = tags[0]?.value ?? ''
        copies.set(tag, (copies.get(tag) ?? 0) + 1)
      }
    }
  }
  return [...copies.values()]
}

describe('payments that a producer had to send again', () => {
  // A handler says where it stopped, which is hundreds of times here.
  beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}))
  afterEach(() => vi.restoreAllMocks())

  it('are stored once, by the producer id and sequence in their tags', { timeout: 120_000 }, async () => {
    let resent = 0
    await forEachSeed({ count: Number(process.env.SEEDS ?? 3), command }, async (seed) => {
      const { sim, mapping, producer } = await simulatedPayments(seed)
      const random = sim.random('payments')
      let paid = 0
      const pay = async () => {
        // What is put before the stream is known goes alone, without a tag: this makes it known.
        await producer.ready()
        for (let count = 0; count < PAYMENTS; count++) {
          const payment = { account: `account-${Math.floor(random() * 20)}`, cents: 500 }
          paid += payment.cents
          void producer.put({ partitionKey: payment.account, data: payment })
          await sleep(sim.clock, random() * 20)
        }
        await producer.close()
        await mapping.drain()
      }
      await sim.run(pay(), { limitMs: 24 * 3_600_000 })

      const copies = copiesInStream(sim)
      expect(copies).toHaveLength(PAYMENTS)
      resent += copies.filter((count) => count > 1).length
      const stored = sim.dynamodb.items('payments').map((item) => unmarshall(item as never))
      expect(stored.reduce((sum, { cents }) => sum + cents, 0)).toBe(paid)
      expect(stored).toHaveLength(PAYMENTS)
      await sim.close()
    })
    if (process.env.SEED === undefined) expect(resent).toBeGreaterThan(PAYMENTS / 2)
  })
})
