import { type Draw, drawFrom } from './draw.ts'
import { drawEpisodes, type Episode } from './episode.ts'
import { drawTraffic, type Traffic } from './traffic-plan.ts'

export type Mode = 'simulated' | 'wire'

/** The options of the producer that a seed draws; plain, so that a failure can print them. */
interface ProducerSettings {
  ordering: 'none' | 'per-key'
  onExpired?: 'continue' | 'halt-key'
  lingerMs: number
  maxBatchRecords: number
  maxBatchBytes: number
  /** Undefined: what the stream takes. */
  maxRecordBytes?: number
  maxInFlightRequests: number
  maxBufferedBytes: number
  whenFull: 'wait' | 'reject'
  recordTtlMs: number
  maxAttempts: number
  backoffBaseMs: number
  backoffMaxMs: number
  requestTimeoutMs: number
  aggregation: boolean | { maxContainerBytes: number; keyBuckets: number }
}

export interface Reshard {
  atMs: number
  kind: 'split' | 'merge' | 'resize'
  /** Which shard, and where it is cut or to how many the stream goes, from 0 to 1. */
  which: number
  where: number
}

/** What happens in one seed, drawn before anything runs. */
export interface Scenario {
  seed: number
  mode: Mode
  shards: number
  /** `auto`: on demand, and it places records without looking at their keys. */
  distribution: 'keyed' | 'on-demand' | 'auto'
  /** Of the stream. */
  maxRecordBytes: number
  streamTransitionMs: number
  latencyMs: { min: number; max: number }
  producer: ProducerSettings
  traffic: Traffic
  episodes: Episode[]
  reshards: Reshard[]
  /** Of the producer's clock. */
  clockJumps: { atMs: number; byMs: number }[]
  ending: { flushFirst: boolean; deadlineMs?: number }
}

const MiB = 2 ** 20

export function drawScenario(seed: number, mode: Mode): Scenario {
  const draw = drawFrom(seed, `${mode} scenario`)
  const onWire = mode === 'wire'
  const traffic = drawTraffic(draw, mode, seed)
  const { isAsMade, ...stream } = drawStream(drawFrom(seed, `${mode} stream`), traffic)
  const settings = drawProducer(draw, traffic, onWire)
  const producer = { ...settings, ...drawPacking(drawFrom(seed, `${mode} aggregation`), settings, traffic) }
  const { spanMs } = traffic
  // Aggregates of many keys are those that a reshard can tear.
  const mixesKeys = producer.aggregation !== false && producer.ordering === 'none'
  const more = drawFrom(seed, `${mode} reshards`)
  const moments = (count: number, from = draw) =>
    Array.from({ length: count }, () => from.between(0, spanMs)).sort(byNumber)
  return {
    seed,
    mode,
    shards: draw.magnitude(1, 8),
    ...stream,
    // One that is changed before the start would not be ready by then.
    streamTransitionMs: draw.chance(0.3) && isAsMade ? draw.magnitude(50, spanMs) : 0,
    latencyMs: draw.pick([
      { min: 0, max: 0 },
      { min: 1, max: 10 },
      { min: 5, max: 80 },
      { min: 20, max: 400 },
    ]),
    producer,
    traffic,
    episodes: drawEpisodes(draw, { spanMs, requestTimeoutMs: producer.requestTimeoutMs, onWire }),
    reshards: [
      ...reshardsAt(moments(draw.chance(0.5) ? draw.between(1, 5) : 0), draw, ['split', 'merge', 'resize']),
      ...(mixesKeys
        ? reshardsAt(moments(more.chance(0.6) ? more.between(3, 12) : 0, more), more, [
            'split',
            'split',
            'merge',
          ])
        : []),
    ].sort((a, b) => a.atMs - b.atMs),
    clockJumps: moments(draw.chance(0.25) ? draw.between(1, 3) : 0).map((atMs) => ({
      atMs,
      byMs: draw.magnitude(5, onWire ? 5_000 : 600_000) * draw.pick([1, -1]),
    })),
    ending: {
      flushFirst: draw.chance(0.3),
      ...(draw.chance(0.4) ? { deadlineMs: draw.magnitude(1, onWire ? 1_000 : 10_000) - 1 } : {}),
    },
  }
}

function reshardsAt(moments: readonly number[], draw: Draw, kinds: readonly Reshard['kind'][]): Reshard[] {
  return moments.map((atMs) => ({
    atMs,
    kind: draw.pick(kinds),
    which: draw.random(),
    where: draw.random(),
  }))
}

function drawStream(draw: Draw, { largestBytes }: Traffic) {
  const distribution: Scenario['distribution'] = draw.chance(0.9) ? 'keyed' : draw.pick(['on-demand', 'auto'])
  const maxRecordBytes = largestBytes > MiB || draw.chance(0.05) ? 2 * MiB : MiB
  return { distribution, maxRecordBytes, isAsMade: distribution === 'keyed' && maxRecordBytes === MiB }
}

function drawProducer(
  draw: Draw,
  { records, largestBytes, keys, isFlood }: Traffic,
  onWire: boolean,
): Omit<ProducerSettings, 'aggregation'> {
  // Where each record has a hash key of its own, a key is in many shards, and has no order that a reader could see.
  const ordering = keys.hashKeys === 'by-record' || isFlood ? 'none' : draw.pick(['none', 'per-key'])
  const limit = largestBytes > MiB ? 2 * MiB : MiB
  const maxRecordBytes = draw.pick([largestBytes > 100_000 ? limit : largestBytes + 1_100, limit, undefined])
  const onExpired = draw.pick(['continue', 'halt-key'])
  const isImpatient = draw.chance(0.3)
  const backoffBaseMs = draw.pick([5, 20, 100])
  return {
    ordering,
    ...(ordering === 'per-key' ? { onExpired } : {}),
    lingerMs: draw.pick(onWire ? [0, 5, 20, 50] : [0, 0, 5, 20, 100, 1_000]),
    maxBatchRecords: draw.pick([isFlood ? 200 : 3, 50, 500, 500]),
    maxBatchBytes: draw.pick([maxRecordBytes ?? limit, 5 * MiB, 10 * MiB]),
    ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }),
    maxInFlightRequests: draw.pick([1, 2, 8, 32]),
    ...draw.pick([
      { whenFull: 'wait', maxBufferedBytes: records < 80 ? draw.pick([1, 20_000]) : 20_000 },
      { whenFull: 'reject', maxBufferedBytes: draw.pick([100_000, 2 * MiB]) },
      { whenFull: draw.pick(['wait', 'reject']), maxBufferedBytes: 64 * MiB },
      { whenFull: 'wait', maxBufferedBytes: 64 * MiB },
    ]),
    recordTtlMs: isImpatient
      ? draw.magnitude(300, 3_000)
      : onWire
        ? 6_000
        : draw.pick([draw.magnitude(10_000, 120_000), 1_200_000]),
    maxAttempts: draw.chance(onExpired === 'halt-key' ? 0.4 : 0.2)
      ? draw.pick([1, 3, 8])
      : Number.POSITIVE_INFINITY,
    backoffBaseMs,
    backoffMaxMs: draw.pick([100, 1_000, 5_000]),
    requestTimeoutMs: onWire
      ? draw.pick([150, 400, 1_000])
      : draw.pick([isImpatient ? 10_000 : 250, 1_000, 10_000]),
  }
}

function drawPacking(
  draw: Draw,
  { ordering, maxRecordBytes = MiB, maxBatchBytes }: Omit<ProducerSettings, 'aggregation'>,
  { isFlood, keys }: Traffic,
): Pick<ProducerSettings, 'ordering' | 'aggregation'> {
  const most = Math.min(51_200, maxRecordBytes, maxBatchBytes)
  // Small ones are full after some records; the largest that is permitted leaves nothing for its partition key.
  const maxContainerBytes = draw.pick([draw.magnitude(256, most), draw.magnitude(256, most), most])
  const aggregation = draw.pick([false, true, { maxContainerBytes, keyBuckets: draw.between(1, 8) }])
  // One by one, the records of a hot key would take hours.
  const mayOrder = isFlood && aggregation !== false && keys.hashKeys !== 'by-record' && draw.chance(0.5)
  return { ordering: mayOrder ? 'per-key' : ordering, aggregation }
}

export function byNumber(a: number, b: number): number {
  return a - b
}

/** How far the producer's clock is set back, all in all. */
export function setBack({ clockJumps }: Scenario): number {
  return clockJumps.reduce((sum, { byMs }) => sum + Math.max(0, -byMs), 0)
}
