import { fileURLToPath } from 'node:url'
import { type Random, seededRandom, systemClock } from '@org/kinesis-core'
import { type FunctionFault, faultPlan, forEachSeed, type Local, startLocal } from '@org/kinesis-local'
import { KinesisProducer } from '@org/kinesis-producer'
import { describe, expect, it } from 'vitest'
import { dummyCredentials } from '../src/demo/pipeline.js'
import { StoreObserver } from '../src/demo/store-observer.js'
import { processedDataTable } from '../src/demo/tables.js'
import { expectBalance, pipelineTraffic } from './pipeline-traffic.js'

const command = 'pnpm --filter @org/streaming-stack exec vitest run test/wire-campaign.test.ts'
const handler = fileURLToPath(new URL('../dist/handlers/stream-processor/index.mjs', import.meta.url))

function functionFault(random: Random): FunctionFault | undefined {
  const draw = random()
  if (draw < 0.06) return 'crash-after'
  if (draw < 0.1) return 'crash-before'
  if (draw < 0.12) return 'out-of-memory'
  return draw < 0.14 ? 'throttle' : undefined
}

/** The handlers as they are built, in processes of their own, the producer over sockets: what a simulation leaves out. */
async function startFaultyPipeline(seed: number) {
  const observer = new StoreObserver('processed')
  const local = await startLocal({
    streams: [{ name: 'events', shards: 2 }],
    tables: [processedDataTable('processed')],
    queues: ['rejected'],
    random: seededRandom(seed),
    onRequest: observer.observe,
    faults: faultPlan({
      seed,
      rates: {
        partial: 0.08,
        throttle: 0.03,
        error500: 0.02,
        'reset-before': 0.02,
        'reset-amid': 0.02,
        'reset-after': 0.02,
        truncate: 0.02,
        stall: 0.03,
        'clock-skew': 0.02,
      },
      maxStallMs: 300,
    }),
  })
  const random = seededRandom(seed + 1_000)
  const processor = local.createFunction({
    name: 'stream-processor',
    file: handler,
    environment: {
      PROCESSED_TABLE_NAME: 'processed',
      REJECTED_QUEUE_URL: local.queueUrl('rejected'),
      POWERTOOLS_METRICS_NAMESPACE: 'Campaign',
      POWERTOOLS_SERVICE_NAME: 'stream-processor',
    },
    maxConcurrency: 2,
    // A handler says where it stopped, which is often here.
    onLogLine: () => {},
    fault: () => functionFault(random),
  })
  const mapping = local.createEventSourceMapping({
    streamName: 'events',
    function: processor,
    batchSize: 50,
    pollIntervalMs: 200,
    parallelizationFactor: 2,
    bisectBatchOnFunctionError: true,
    reportBatchItemFailures: true,
    retryBackoff: { baseMs: 20, maxMs: 200 },
  })
  const producer = new KinesisProducer({
    streamName: 'events',
    endpoint: local.url,
    region: local.region,
    credentials: dummyCredentials,
    ordering: 'per-key',
    random: seededRandom(seed + 2_000),
  })
  return { local, observer, mapping, producer }
}

describe('the pipeline among faults on the wire', () => {
  const count = Number(process.env.SEEDS ?? 2)

  it('stores or rejects every event once, each user in order', { timeout: count * 60_000 }, async () => {
    await forEachSeed({ count, command }, async (seed) => {
      const { local, observer, mapping, producer } = await startFaultyPipeline(seed)
      try {
        const events = await pipelineTraffic(producer, {
          events: 240,
          maxGapMs: 10,
          clock: systemClock,
          random: seededRandom(seed),
          reshard: (TargetShardCount) =>
            local.kinesis.call('UpdateShardCount', {
              StreamName: 'events',
              TargetShardCount,
              ScalingType: 'UNIFORM_SCALING',
            }),
        })
        await mapping.drain(AbortSignal.timeout(60_000))

        const userOf = new Map(events.map(({ id, userId }) => [id, userId]))
        expectBalance(events, {
          stored: [...observer.firstWrites.keys()].map((eventId) => ({
            eventId,
            userId: userOf.get(eventId)!,
          })),
          rejected: local.queueMessages('rejected').map(({ body }) => body),
        })
        expect(await countItems(local)).toBe(events.filter(({ isBad }) => !isBad).length)
      } finally {
        await local.close()
      }
    })
  })
})

/** From the table itself, past the wire and its faults: the observer saw only what was answered. */
async function countItems({ dynamodb }: Local): Promise<number> {
  const { Count } = (await dynamodb.call('Scan', { TableName: 'processed', Select: 'COUNT' })) as {
    Count: number
  }
  return Count
}
