import type { KinesisProducer, KinesisProducerOptions } from '../../src/index.ts'
import { aggregationIn } from './aggregation-in.ts'
import { ChaosError } from './chaos-error.ts'
import { Journal } from './journal.ts'
import { judgeAccount } from './judge-account.ts'
import { judgeContent } from './judge-content.ts'
import { judgeReasons } from './judge-reasons.ts'
import { onTime } from './on-time.ts'
import { ProbedClock } from './probed-clock.ts'
import { reshard } from './reshard.ts'
import { hooksInto, runTraffic } from './run-traffic.ts'
import { drawScenario, type Mode, type Scenario } from './scenario.ts'
import { simulatedWorld } from './simulated-world.ts'
import { readStream } from './stream-content.ts'
import { wireWorld } from './wire-world.ts'
import { STREAM_NAME, type World } from './world.ts'

/** The producer under test: that of `src`, of `dist`, or one that was broken on purpose. */
export type ProducerClass = new (options: KinesisProducerOptions) => KinesisProducer

export interface SeedReport {
  scenario: Scenario
  puts: number
  delivered: number
  failed: number
  refused: number
  requests: number
  /** Calls that met a fault. */
  harmed: number
  /** Shards that were there in all, the first ones included. */
  shards: number
  /** Aggregates that the stream holds, and records in them. */
  aggregates: number
  packed: number
  /** Records in aggregates that landed elsewhere than expected. */
  unverified: number
  /** Aggregates that lie in a shard which is not that of all their members, and whose members were sent again. */
  strayed: number
  /** Of these, the ones whose members were delivered in several others. */
  divided: number
  digest: string
}

/** Runs one seed, and throws a `ChaosError` where the producer has broken a rule. */
export async function runSeed(seed: number, mode: Mode, Producer: ProducerClass): Promise<SeedReport> {
  const scenario = drawScenario(seed, mode)
  const world = await (mode === 'wire' ? wireWorld : simulatedWorld)(scenario)
  const journal = new Journal()
  try {
    return await play(scenario, world, journal, Producer)
  } catch (error) {
    if (error instanceof ChaosError) throw error
    throw ChaosError.of(scenario, journal, world.requests, error)
  } finally {
    await world.close()
  }
}

async function play(
  scenario: Scenario,
  world: World,
  journal: Journal,
  Producer: ProducerClass,
): Promise<SeedReport> {
  const clock = new ProbedClock(world.clock)
  const producer = new Producer({
    streamName: STREAM_NAME,
    ...world.connection,
    ...scenario.producer,
    clock,
    random: world.random,
    hooks: hooksInto(journal, world.clock),
  })
  prepareStream(scenario, world)
  const over = new AbortController()
  const when = { clock: world.clock, signal: over.signal }
  const around = Promise.all([
    onTime(scenario.reshards, when, (planned) => reshard(planned, world.call)),
    onTime(scenario.clockJumps, when, ({ byMs }) => clock.jump(byMs)),
  ])
  const traffic = runTraffic(producer, scenario, { clock: world.clock, journal }).finally(() => over.abort())
  await world.run(Promise.race([traffic, clock.spinning]), limitOf(scenario))
  await around
  journal.timersLeft = clock.timers
  journal.stats = producer.stats()
  // Calls that are late still arrive, whether anybody waits for them or not.
  const lateMs = scenario.episodes.reduce(
    (most, { kind, size }) => (kind === 'late' ? Math.max(most, size) : most),
    0,
  )
  await world.wait(lateMs + 2 * scenario.latencyMs.max + 100)

  const content = await readStream(STREAM_NAME, world)
  const violations = [
    ...judgeContent(scenario, journal, content),
    ...judgeAccount(scenario, journal),
    ...judgeReasons(scenario, journal),
  ]
  if (violations.length > 0) throw ChaosError.of(scenario, journal, world.requests, violations)
  const { delivered, failed, refused } = journal.stats
  return {
    scenario,
    puts: journal.puts.length,
    delivered,
    failed,
    refused,
    requests: world.requests.length,
    harmed: world.requests.filter(({ fault }) => fault !== undefined).length,
    shards: content.shards.size,
    ...aggregationIn(content, journal),
    unverified: journal.batches.unverified,
    digest: world.digest(),
  }
}

/** What a stream cannot be made with. */
function prepareStream({ distribution, maxRecordBytes }: Scenario, { call }: World): void {
  const { StreamDescriptionSummary } = call('DescribeStreamSummary', { StreamName: STREAM_NAME }) as {
    StreamDescriptionSummary: { StreamARN: string }
  }
  const { StreamARN } = StreamDescriptionSummary
  if (maxRecordBytes > 2 ** 20)
    call('UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: maxRecordBytes / 1024 })
  if (distribution === 'keyed') return
  call('UpdateStreamMode', { StreamARN, StreamModeDetails: { StreamMode: 'ON_DEMAND' } })
  if (distribution === 'on-demand') return
  call('UpdateStreamRecordDistributionStrategy', { StreamARN, RecordDistributionStrategy: 'AUTO' })
}

/** When everything must be over, however often it waited for each other. */
function limitOf({ mode, traffic, producer, clockJumps }: Scenario): number {
  if (mode === 'wire') return 60_000
  const jumpsMs = clockJumps.reduce((sum, { byMs }) => sum + Math.abs(byMs), 0)
  return 20 * (traffic.spanMs + producer.recordTtlMs + producer.requestTimeoutMs + jumpsMs) + 3_600_000
}
