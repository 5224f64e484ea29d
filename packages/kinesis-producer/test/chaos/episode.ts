import type { FaultAction, FaultCall, FaultPlan } from '@org/kinesis-local'
import { type Draw, drawFrom } from './draw.ts'

/** A stretch of time in which calls of the producer go wrong. */
export interface Episode {
  kind: FaultAction['kind'] | 'throttle-some'
  fromMs: number
  toMs: number
  /** Share of the calls that meet it. */
  rate: number
  /** Calls that ask for the stream and its shards alone, or every call. */
  listingsOnly: boolean
  /** Longest delay, distance of a clock, or share of entries or shards: whatever the kind has. */
  size: number
}

const KINDS: readonly Episode['kind'][] = [
  'throttle',
  'throttle-some',
  'throttle-some',
  'partial',
  'partial',
  'reset-before',
  'reset-amid',
  'reset-after',
  'stall',
  'late',
  'late',
  'error500',
  'wrong-entry-count',
  'truncate',
  'clock-skew',
  'expired-credentials',
]

export function drawEpisodes(
  draw: Draw,
  { spanMs, requestTimeoutMs, onWire }: { spanMs: number; requestTimeoutMs: number; onWire: boolean },
): Episode[] {
  const sizeOf = (kind: Episode['kind']) => {
    // Some answers do not come before everybody has given up.
    const timeouts = kind === 'stall' || !onWire ? draw.pick([3, 20]) : 3
    if (kind === 'stall' || kind === 'late') return draw.magnitude(10, timeouts * requestTimeoutMs)
    if (kind === 'clock-skew') return draw.pick([1, -1]) * draw.magnitude(310_000, 80_000_000)
    return kind === 'partial' || kind === 'throttle-some' ? draw.pick([0.3, 0.3, 0.6, 1]) : 0
  }
  const episode = (fromMs: number, toMs: number, rate: number): Episode => {
    const kind = draw.pick(KINDS)
    const listingsOnly = draw.chance(0.08)
    return { kind, fromMs, toMs, rate, listingsOnly, size: sizeOf(kind) }
  }
  // A fifth is one long storm of many kinds, each of them rare; the others have stretches in which one kind is frequent.
  if (draw.chance(0.2)) {
    const rate = draw.pick([0.02, 0.05, 0.1])
    return Array.from({ length: 8 }, () => episode(0, 2 * spanMs + 5_000, rate))
  }
  return Array.from({ length: draw.between(0, 5) }, () => {
    const fromMs = draw.chance(0.3) ? 0 : draw.between(0, spanMs)
    return episode(fromMs, fromMs + draw.magnitude(100, 8_000), draw.pick([0.1, 0.3, 0.3, 0.7, 1]))
  })
}

/** `elapsedMs`: since the traffic began. */
export function faultsOf(episodes: readonly Episode[], seed: number, elapsedMs: () => number): FaultPlan {
  const draw = drawFrom(seed, 'faults')
  return (call) => {
    const nowMs = elapsedMs()
    for (const episode of episodes) {
      const { fromMs, toMs, rate, listingsOnly } = episode
      if (nowMs < fromMs || nowMs >= toMs) continue
      if (listingsOnly && call.operation === 'PutRecords') continue
      if (draw.chance(rate)) return actionOf(episode, call, draw)
    }
    return undefined
  }
}

function actionOf({ kind, size, fromMs }: Episode, call: FaultCall, draw: Draw): FaultAction {
  switch (kind) {
    case 'partial':
      return { kind, fraction: size }
    case 'stall':
    case 'late':
      return { kind, delayMs: draw.chance(0.3) ? size : draw.between(0, size) }
    case 'wrong-entry-count':
      return { kind, change: draw.pick([1, -1]) }
    case 'clock-skew':
      return { kind, skewMs: size }
    case 'throttle-some':
      // The same shards for the whole of an episode.
      return {
        kind: 'throttle',
        shardIds: call.shardIds().filter((shardId) => drawFrom(fromMs, shardId).chance(size)),
      }
    default:
      return { kind }
  }
}
