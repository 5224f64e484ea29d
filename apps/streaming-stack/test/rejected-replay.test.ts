import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { SQSClient } from '@aws-sdk/client-sqs'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { sleep } from '@org/kinesis-core'
import { createSimulation, faultPlan, forEachSeed } from '@org/kinesis-local'
import { kinesisHandler, PermanentError, type RejectedRecord, replayRejected } from '@org/kinesis-processor'
import { dynamoDbSink } from '@org/kinesis-processor/dynamodb'
import { sqsRejectedSink, sqsRejectedSource } from '@org/kinesis-processor/sqs'
import { KinesisProducer } from '@org/kinesis-producer'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const command = 'pnpm --filter @org/streaming-stack exec vitest run test/rejected-replay.test.ts'
const ORDERS = 120

const table = {
  TableName: 'orders',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
}
interface Order {
  id: string
  amount: number
}

async function simulatedOrders(seed: number) {
  const sim = await createSimulation({
    seed,
    streams: [{ name: 'orders', shards: 2 }],
    tables: [table],
    queues: ['rejected'],
    latencyMs: { min: 1, max: 60 },
    faults: faultPlan({
      seed,
      operations: ['PutRecords', 'PutItem', 'SendMessageBatch', 'ReceiveMessage', 'DeleteMessageBatch'],
      rates: { 'reset-after': 0.1, error500: 0.1, partial: 0.1, stall: 0.05 },
      maxStallMs: 5_000,
    }),
  })
  const { clientConfiguration: connection, clock } = sim
  const release = { takesText: false }
  const handler = kinesisHandler({
    decode: (data): Order => {
      const { id, amount } = JSON.parse(Buffer.from(data).toString())
      if (typeof amount === 'number' || release.takesText) return { id, amount: Number(amount) }
      throw new PermanentError('The amount is no number.', { reasonCode: 'invalid' })
    },
    sink: dynamoDbSink<Order>({
      client: new DynamoDBClient(connection),
      tableName: 'orders',
      key: { partition: 'id' },
      item: (order) => ({ ...order }),
      uniqueKeys: false,
      clock,
      random: sim.random('sink'),
    }),
    rejected: sqsRejectedSink({
      client: new SQSClient(connection),
      queueUrl: sim.queueUrl('rejected'),
      clock,
    }),
    clock,
    random: sim.random('handler'),
  })
  const mapping = sim.createEventSourceMapping({
    streamName: 'orders',
    function: sim.createFunction({ name: 'orders', handler }),
    reportBatchItemFailures: true,
  })
  const aProducer = (name: string) =>
    new KinesisProducer({
      streamName: 'orders',
      client: new KinesisClient(connection),
      aggregation: name === 'app',
      recordTtlMs: 3_600_000,
      clock,
      random: sim.random(name),
    })
  const source = () =>
    sqsRejectedSource({ client: new SQSClient(connection), queueUrl: sim.queueUrl('rejected'), clock })
  return { sim, release, mapping, aProducer, source }
}

describe('orders that a handler rejected', () => {
  // A handler says where it stopped, which is hundreds of times here.
  beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}))
  afterEach(() => vi.restoreAllMocks())

  it('are all stored when they are put back after it was mended, whatever fails on the way', {
    timeout: 120_000,
  }, async () => {
    await forEachSeed({ count: Number(process.env.SEEDS ?? 3), command }, async (seed) => {
      const { sim, release, mapping, aProducer, source } = await simulatedOrders(seed)
      const orders = Array.from({ length: ORDERS }, (_, n) => ({
        id: `o-${n}`,
        amount: n % 3 === 0 ? `${n}` : n,
      }))
      const rejectedIds = () =>
        new Set(
          sim.queueMessages('rejected').map(({ body }) => (JSON.parse(body) as RejectedRecord).partitionKey),
        )
      const produceAndMend = async () => {
        const app = aProducer('app')
        await app.ready()
        for (const order of orders) void app.put({ partitionKey: order.id, data: order })
        await app.close()
        while (rejectedIds().size < ORDERS / 3) await sleep(sim.clock, 1_000)

        release.takesText = true
        const operator = aProducer('operator')
        // A replay ends where its source fails; what it left is there for the next.
        while (sim.queueMessages('rejected').length > 0) {
          const report = await replayRejected({
            source: source(),
            destination: operator,
            choose: { reasonCodes: ['invalid'] },
            clock: sim.clock,
          })
          expect(report).toMatchObject({ failed: 0, unreadable: 0 })
        }
        await operator.close()
        await mapping.drain()
      }
      await sim.run(produceAndMend(), { limitMs: 48 * 3_600_000 })

      const stored = sim.dynamodb.items('orders').map((item) => unmarshall(item as never))
      expect(stored.sort((a, b) => a.amount - b.amount)).toEqual(
        orders.map(({ id }, amount) => ({ id, amount })),
      )
      await sim.close()
    })
  })
})
