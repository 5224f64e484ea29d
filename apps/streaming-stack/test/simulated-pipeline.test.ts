import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { SQSClient } from '@aws-sdk/client-sqs'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { createSimulation, faultPlan, forEachSeed, type Simulation } from '@org/kinesis-local'
import { KinesisProducer } from '@org/kinesis-producer'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { processedDataTable, windowsTable } from '../src/demo/tables.js'
import { userEventProcessor } from '../src/handlers/user-event-processor.js'
import { userEventWindows } from '../src/handlers/user-event-windows.js'
import { expectBalance, pipelineTraffic } from './pipeline-traffic.js'

const STREAM = 'user-events'
/** Far more than one takes, which is a second or two. */
const SEED_LIMIT_MS = 15_000
const command = 'pnpm --filter @org/streaming-stack exec vitest run test/simulated-pipeline.test.ts'

async function simulatedPipeline(seed: number) {
  const sim = await createSimulation({
    seed,
    streams: [{ name: STREAM, shards: 2 }],
    tables: [processedDataTable('processed'), windowsTable('windows')],
    queues: ['rejected'],
    latencyMs: { min: 1, max: 60 },
    faults: faultPlan({
      seed,
      rates: {
        partial: 0.08,
        throttle: 0.04,
        error500: 0.03,
        'reset-before': 0.03,
        'reset-after': 0.03,
        'reset-amid': 0.02,
        truncate: 0.02,
        'clock-skew': 0.02,
        stall: 0.05,
      },
      maxStallMs: 15_000,
    }),
  })
  const time = { clock: sim.clock, random: sim.random('handlers') }
  const dynamodb = new DynamoDBClient(sim.clientConfiguration)
  const sqs = new SQSClient(sim.clientConfiguration)
  const crash = sim.random('crashes')
  const fault = () => {
    const draw = crash()
    if (draw < 0.08) return 'crash-after' as const
    if (draw < 0.12) return 'crash-before' as const
    return draw < 0.14 ? ('timeout' as const) : undefined
  }
  const create = (name: string, handler: Parameters<Simulation['createFunction']>[0]['handler']) =>
    sim.createFunction({ name, handler, fault, timeoutMs: 30_000 })
  const processor = sim.createEventSourceMapping({
    streamName: STREAM,
    function: create(
      'processor',
      userEventProcessor({ dynamodb, tableName: 'processed', sqs, queueUrl: sim.queueUrl('rejected'), time }),
    ),
    parallelizationFactor: 2,
    bisectBatchOnFunctionError: true,
    reportBatchItemFailures: true,
  })
  const windows = sim.createEventSourceMapping({
    streamName: STREAM,
    function: create('windows', userEventWindows({ dynamodb, tableName: 'windows', time })),
    tumblingWindowMs: 60_000,
  })
  const producer = new KinesisProducer({
    streamName: STREAM,
    client: new KinesisClient(sim.clientConfiguration),
    ordering: 'per-key',
    recordTtlMs: 3_600_000,
    clock: sim.clock,
    random: sim.random('producer'),
  })
  return { sim, producer, processor, windows }
}

/** Two minutes of it. */
const traffic = (sim: Simulation, producer: KinesisProducer) =>
  pipelineTraffic(producer, {
    events: 400,
    maxGapMs: 600,
    clock: sim.clock,
    random: sim.random('events'),
    reshard: (TargetShardCount) =>
      sim.kinesis.call('UpdateShardCount', {
        StreamName: STREAM,
        TargetShardCount,
        ScalingType: 'UNIFORM_SCALING',
      }),
  })

function eventIdsInStream({ kinesis }: Simulation): string[] {
  const { Shards } = kinesis.call('ListShards', { StreamName: STREAM }) as { Shards: { ShardId: string }[] }
  return Shards.flatMap(({ ShardId }) => {
    const position = { StreamName: STREAM, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    const { ShardIterator } = kinesis.call('GetShardIterator', position) as { ShardIterator: string }
    const page = kinesis.call('GetRecords', { ShardIterator }) as { Records: { Data: Uint8Array }[] }
    return page.Records.map(({ Data }) => /event-\d+/.exec(Buffer.from(Data).toString())![0])
  })
}

describe('the pipeline, simulated among faults', () => {
  // A handler says where it stopped, which is hundreds of times here.
  beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}))
  afterEach(() => vi.restoreAllMocks())

  const count = Number(process.env.SEEDS ?? 12)
  const timeout = count * SEED_LIMIT_MS

  it('stores or rejects every event once, each user in order, and windows agree, whatever the seed', {
    timeout,
  }, async () => {
    await forEachSeed({ count, command }, async (seed) => {
      const { sim, producer, processor, windows } = await simulatedPipeline(seed)
      const work = async () => {
        const events = await traffic(sim, producer)
        await Promise.all([processor.drain(), windows.drain()])
        return events
      }
      const events = await sim.run(work(), { limitMs: 24 * 3_600_000 })

      const stored = sim.dynamodb.items('processed').map((item) => unmarshall(item as never))
      expectBalance(events, {
        stored: stored.map(({ user_id, event_id }) => ({ userId: user_id, eventId: event_id })),
        rejected: sim.queueMessages('rejected').map(({ body }) => body),
      })
      const counted = sim.dynamodb
        .items('windows')
        .reduce((sum, item) => sum + Number(item.event_count!.N), 0)
      // Windows count records: what the stream holds twice, because an answer to the producer was lost, is counted twice.
      const good = new Set(events.filter(({ isBad }) => !isBad).map(({ id }) => id))
      expect(counted).toBe(eventIdsInStream(sim).filter((id) => good.has(id)).length)
      await sim.close()
    })
  })

  it('gives the same trace for the same seed', async () => {
    const digest = async (seed: number) => {
      const { sim, producer, processor } = await simulatedPipeline(seed)
      await sim.run(
        traffic(sim, producer).then(() => processor.drain()),
        { limitMs: 24 * 3_600_000 },
      )
      return sim.trace()
    }

    expect(await digest(5)).toEqual(await digest(5))
    expect(await digest(5)).not.toEqual(await digest(6))
  })
})
