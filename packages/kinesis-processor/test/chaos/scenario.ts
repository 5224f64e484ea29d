import { seededRandom } from '@org/kinesis-core'

export const KEYS = 6

/** What is to become of an event. `good` is stored, `dropped` is resolved without a trace, every other is rejected for the reason given. */
export const FATES = {
  good: undefined,
  dropped: undefined,
  'no-utf8': 'undecodable',
  'no-json': 'undecodable',
  'wrong-type': 'invalid',
  'bad-step': 'rejected-by-step',
  'bad-lookup': 'rejected-by-step',
  unstorable: 'unstorable',
  'broken-aggregate': 'corrupt-aggregate',
} as const
export type Fate = keyof typeof FATES

export type SinkKind = 'table' | 'latest' | 'ledger' | 'all-of' | 'route'

/** Everything that a seed decides. Times are in milliseconds from the start. */
export interface Scenario {
  seed: number
  shards: number
  /** Put one after the other; each is one record, or the members of an aggregate. */
  packs: number
  maxGapMs: number
  poisonShare: number
  resendShare: number
  aggregatedShare: number
  /** Shard counts that the stream is brought to on the way. */
  reshards: number[]
  sink: SinkKind
  batchSize: number
  parallelizationFactor: number
  bisect: boolean
  partialProgressResetsRetries: boolean
  /** -1: until they succeed. */
  maximumRetryAttempts: number
  timeoutMs: number
  maxAttempts: number
  maxConcurrency: number
  /** Shares of calls and writes that go wrong until `faultsEndMs`. */
  faults: {
    step: number
    lookup: number
    ledger: number
    request: number
    /** Before a write, and after it: the invocation ends there. */
    crash: number
    /** Of invocations whose work nobody hears of. */
    unheard: number
  }
  outages: { target: 'dynamodb' | 'sqs' | 'ledger' | 'lookup'; fromMs: number; toMs: number }[]
  faultsEndMs: number
}

export function drawScenario(seed: number): Scenario {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) >>> 0)
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  const pick = <T>(...choices: T[]): T => choices[between(0, choices.length - 1)]!
  const share = (most: number) => (random() < 0.3 ? 0 : random() * most)
  const packs = between(20, 60)
  const maxGapMs = pick(200, 2_000, 10_000)
  const trafficMs = (packs * maxGapMs) / 2
  return {
    seed,
    shards: between(1, 3),
    packs,
    maxGapMs,
    poisonShare: share(0.3),
    resendShare: share(0.4),
    aggregatedShare: random(),
    reshards: Array.from({ length: between(0, 2) }, () => between(2, 3)),
    sink: pick('table', 'latest', 'ledger', 'all-of', 'route'),
    batchSize: pick(1, 5, 20, 100),
    parallelizationFactor: pick(1, 1, 2, 4),
    bisect: pick(true, false),
    partialProgressResetsRetries: pick(true, false),
    maximumRetryAttempts: pick(-1, -1, 3),
    timeoutMs: pick(8_000, 30_000),
    maxAttempts: between(1, 4),
    maxConcurrency: pick(1, 3, 32),
    faults: {
      step: share(0.2),
      lookup: share(0.2),
      ledger: share(0.3),
      request: share(0.4),
      crash: share(0.08),
      unheard: share(0.2),
    },
    outages: Array.from({ length: between(0, 2) }, () => {
      const fromMs = random() * trafficMs
      const target = pick('dynamodb', 'sqs', 'ledger', 'lookup')
      return { target, fromMs, toMs: fromMs + between(10_000, 300_000) }
    }),
    // Now and then they go on when everything is put.
    faultsEndMs: trafficMs * (0.5 + random()) + between(0, 120_000),
  }
}
