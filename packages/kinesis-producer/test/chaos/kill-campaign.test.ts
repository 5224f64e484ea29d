import { seededRandom } from '@org/kinesis-core'
import { type FaultAction, forEachSeed, startLocal } from '@org/kinesis-local'
import { afterEach, describe, expect, it } from 'vitest'
import { KinesisProducer, type KinesisProducerOptions } from '../../src/index.js'
import {
  aSpoolDirectory,
  keysOutOfOrder,
  numbersByKey,
  removeSpoolDirectories,
  startSpooledProducer,
} from '../spooled-producer-fixture.js'

afterEach(removeSpoolDirectories)

const command = 'pnpm --filter @org/kinesis-producer exec vitest run test/chaos/kill-campaign.test.ts'
const KILLS = 3

/** A third of the calls fail, one way or another. */
function faultsOf(random: () => number): () => FaultAction | undefined {
  const faults: (FaultAction | undefined)[] = [
    { kind: 'partial', fraction: 0.3 },
    { kind: 'reset-after' },
    { kind: 'error500' },
    { kind: 'stall', delayMs: 50 },
    ...new Array(8).fill(undefined),
  ]
  return () => faults[Math.floor(random() * faults.length)]
}

/** Kills one process after the other amid its puts; the last one closes. Returns what was admitted, and what the stream holds then. */
async function runAndKill(seed: number, options: Partial<KinesisProducerOptions>) {
  const random = seededRandom(seed)
  const directory = aSpoolDirectory()
  const faults = faultsOf(random)
  const local = await startLocal({
    streams: [{ name: 'orders', shards: 4 }],
    faults: ({ operation }) => (operation === 'PutRecords' ? faults() : undefined),
  })
  const settings = {
    streamName: 'orders',
    endpoint: local.url,
    lingerMs: 5,
    backoffBaseMs: 10,
    backoffMaxMs: 50,
    maxBufferedBytes: 20_000,
    // Several segments, some of them deleted before the end.
    spool: { directory, segmentBytes: 8_192, fsyncIntervalMs: 10 },
    ...options,
  }
  try {
    const admitted: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startSpooledProducer({ ...settings, first: kill * 1_000_000, records: 100_000, keys: 7 })
      await child.hasPut(1 + Math.floor(random() * 600))
      await child.kill()
      admitted.push(...child.puts())
    }
    const last = new KinesisProducer({
      ...settings,
      region: local.region,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    })
    const first = KILLS * 1_000_000
    const numbers = Array.from({ length: 20 }, (_, index) => first + index)
    await last.putAll(numbers.map((number) => ({ partitionKey: `key-${number % 7}`, data: `${number}` })))
    await last.close()
    admitted.push(...numbers)
    return { admitted, byKey: await numbersByKey(local), stats: last.stats() }
  } finally {
    await local.close()
  }
}

describe('processes that are killed, and others that open their spool', () => {
  const count = Math.ceil(Number(process.env.SEEDS ?? 2))

  it.each<[string, Partial<KinesisProducerOptions>]>([
    ["'none'", {}],
    ["'per-key'", { ordering: 'per-key' }],
    ["'none', aggregated", { aggregation: true }],
    ["'per-key', aggregated", { ordering: 'per-key', aggregation: true }],
  ])('send whatever was admitted, with ordering %s', { timeout: count * 60_000 }, async (_name, options) => {
    await forEachSeed({ count, command }, async (seed) => {
      const { admitted, byKey, stats } = await runAndKill(seed, options)
      const held = new Set([...byKey.values()].flat())
      expect(admitted.filter((number) => !held.has(number))).toEqual([])
      if (options.ordering === 'per-key') expect(keysOutOfOrder(byKey)).toEqual([])
      expect(stats).toMatchObject({ pending: 0, failed: 0, put: stats.recovered + 20 })
      expect(stats.spool?.unsettled).toBe(0)
    })
  })
})
