import { type Draw, drawFrom } from './draw.ts'
import type { Mode } from './scenario.ts'

/** What is put, and how: drawn as a whole, the single records follow from the seed when they are put. */
export interface Traffic {
  records: number
  /** From the first put to the last, about. */
  spanMs: number
  /** More than shards take in a second. */
  isFlood: boolean
  /** Puts in one turn of the event loop, at most. */
  burst: number
  sizes: 'tiny' | 'small' | 'mixed' | 'large' | 'huge'
  largestBytes: number
  keys: {
    count: number
    /** 0: all keys alike; the higher, the more goes to the first of them. */
    skew: number
    style: 'short' | 'unicode' | 'long'
    /** Explicit hash keys: none, one for each partition key, or any for each record. */
    hashKeys: 'none' | 'by-key' | 'by-record'
  }
  /** Awaits `ready()` before each burst. */
  waitsForRoom: boolean
  /** Share of bursts after which `flush()` is called, and whether it is awaited. */
  flushes: number
  awaitsFlushes: boolean
  /** Share of puts that must be refused. */
  bad: number
  /** Share of bursts before which halted keys are resumed. */
  resumes: number
  /** How the records of a burst are handed over; `any`: each burst its own way. */
  way: Way | 'any'
  /** Share of the records that are handed to `enqueue` without callbacks: only hooks and `stats` tell of them. */
  blind: number
  /** Share of callbacks that put another record or flush, in the midst of the producer's work. */
  reactions: number
}

export type Way = 'put' | 'enqueue' | 'put-all'

/** More would make a seed slow, and show nothing else. */
const MAX_TOTAL_BYTES = { simulated: 8_000_000, wire: 3_000_000 }

export function drawTraffic(draw: Draw, mode: Mode, seed: number): Traffic {
  const ways = drawFrom(seed, `${mode} ways`)
  const onWire = mode === 'wire'
  const usual = draw.pick(['tiny', 'small', 'small', 'mixed', 'mixed', 'large'])
  const sizes = drawFrom(seed, 'huge').chance(0.03) ? 'huge' : usual
  const largestBytes = { tiny: 40, small: 2_000, mixed: 50_000, large: 1_040_000, huge: 1_800_000 }[sizes]
  const isFlood = sizes === 'tiny' && draw.chance(0.25)
  const most = isFlood ? 3_000 : Math.min(500, Math.floor((6 * MAX_TOTAL_BYTES[mode]) / largestBytes))
  return {
    isFlood,
    records: draw.magnitude(isFlood ? 1_500 : 10, most),
    spanMs: onWire ? draw.magnitude(100, 2_000) : draw.magnitude(100, 40_000),
    burst: isFlood ? draw.magnitude(100, 3_000) : draw.magnitude(1, 200),
    sizes,
    largestBytes,
    keys: {
      count: draw.magnitude(1, 300),
      skew: draw.pick([0, 1, 2, 5]),
      style: draw.pick(['short', 'short', 'unicode', 'long']),
      hashKeys: draw.pick(['none', 'none', 'by-key', 'by-record']),
    },
    waitsForRoom: draw.chance(0.3),
    flushes: draw.pick([0, 0.1, 0.5]),
    awaitsFlushes: draw.chance(0.3),
    bad: draw.pick([0, 0, 0.05]),
    resumes: draw.pick([0, 0.2]),
    way: ways.pick(['put', 'put', 'enqueue', 'enqueue', 'put-all', 'any']),
    blind: ways.pick([0, 0, 0.3, 1]),
    reactions: ways.pick([0, 0, 0.02, 0.2]),
  }
}
