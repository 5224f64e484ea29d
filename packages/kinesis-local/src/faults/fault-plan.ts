import { InvalidOptionError } from '@org/kinesis-core'
import type { FaultAction, FaultCall, FaultPlan } from './fault-action.js'

export interface FaultPlanOptions {
  /** A whole number: the same seed, the same faults for the same calls. */
  seed: number
  /** Share of the calls, 0 to 1, that meet each kind of fault; together at most 1. Kinds left out never happen. */
  rates: Partial<Record<FaultAction['kind'], number>>
  /** Only calls of these operations. @default all */
  operations?: readonly string[]
  /** Share of the entries that fail in a `partial`, 0 to 1. @default 0.5 */
  partialFraction?: number
  /** Longest wait of a `stall` or `late`, in milliseconds; each is drawn from 0 to this. @default 1_000 */
  maxStallMs?: number
  /** How far the service's clock is ahead in a `clock-skew`, in milliseconds; negative is behind. @default 600_000 */
  skewMs?: number
  /** Calls that read or write this shard take `delayMs` longer, all of them, unless they meet another fault. @default none */
  slowShard?: { shardId: string; delayMs: number }
}

/**
 * Faults that are drawn by a seed. Each call has a draw of its own, from the seed, its service and its number: which of two services is
 * called first changes nothing.
 */
export function faultPlan(options: FaultPlanOptions): FaultPlan {
  const { seed, rates, operations, partialFraction = 0.5, maxStallMs = 1_000 } = options
  const { skewMs = 600_000, slowShard } = options
  if (!Number.isSafeInteger(seed)) throw new InvalidOptionError('seed', seed, 'Give a whole number.')
  const table = Object.entries(rates) as [FaultAction['kind'], number][]
  for (const [kind, rate] of table) {
    if (!KINDS.has(kind)) throw new InvalidOptionError('rates', kind, `Name one of ${[...KINDS].join(', ')}.`)
    if (!(rate >= 0 && rate <= 1))
      throw new InvalidOptionError(`rates.${kind}`, rate, 'Give a share from 0 to 1.')
  }
  if (table.reduce((sum, [, rate]) => sum + rate, 0) > 1 + 1e-9)
    throw new InvalidOptionError('rates', rates, 'Together they must be at most 1.')
  if (!(partialFraction >= 0 && partialFraction <= 1))
    throw new InvalidOptionError('partialFraction', partialFraction, 'Give a share from 0 to 1.')
  if (!(maxStallMs >= 0 && maxStallMs < Number.POSITIVE_INFINITY))
    throw new InvalidOptionError('maxStallMs', maxStallMs, 'Give milliseconds, from 0.')
  if (!Number.isFinite(skewMs)) throw new InvalidOptionError('skewMs', skewMs, 'Give milliseconds.')
  if (slowShard !== undefined && !(slowShard.delayMs >= 0))
    throw new InvalidOptionError('slowShard.delayMs', slowShard.delayMs, 'Give milliseconds, from 0.')
  const chosen = operations === undefined ? undefined : new Set(operations)

  return (call) => {
    if (chosen !== undefined && !chosen.has(call.operation)) return undefined
    let left = draw(seed, call, 'kind')
    for (const [kind, rate] of table) {
      if (left < rate) return action(kind, draw(seed, call, 'size'))
      left -= rate
    }
    if (slowShard === undefined || !call.shardIds().includes(slowShard.shardId)) return undefined
    return { kind: 'stall', delayMs: slowShard.delayMs }
  }

  function action(kind: FaultAction['kind'], size: number): FaultAction {
    if (kind === 'partial') return { kind, fraction: partialFraction }
    if (kind === 'stall' || kind === 'late') return { kind, delayMs: size * maxStallMs }
    if (kind === 'wrong-entry-count') return { kind, change: size < 0.5 ? -1 : 1 }
    if (kind === 'clock-skew') return { kind, skewMs }
    return { kind }
  }
}

const KINDS = new Set<FaultAction['kind']>([
  'throttle',
  'partial',
  'wrong-entry-count',
  'error500',
  'expired-credentials',
  'reset-before',
  'reset-amid',
  'reset-after',
  'truncate',
  'stall',
  'late',
  'clock-skew',
])

/** From 0 to 1, evenly: FNV-1a over the text, then the finish of MurmurHash3, without which near numbers give near draws. */
function draw(seed: number, { service, number }: FaultCall, purpose: string): number {
  let hash = 0x811c9dc5
  for (const character of `${seed}/${service}/${number}/${purpose}`)
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
