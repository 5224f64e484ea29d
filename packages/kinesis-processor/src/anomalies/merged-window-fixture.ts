import { sum } from '../windows/measures.js'
import type { MergedWindow, WindowPartial } from '../windows/window-partial.js'

export const MINUTE_MS = 60_000
export const START_MS = Date.UTC(2026, 0, 1)

export const aggregates = { amount: sum((amount: number) => amount) }
export type AmountWindow = MergedWindow<typeof aggregates>
export type AmountPartial = WindowPartial<typeof aggregates>

/** The window of a key so many minutes after the start. */
export function aWindow(minute: number, amount: number, key = 'ann'): AmountWindow {
  const windowStartMs = START_MS + minute * MINUTE_MS
  return { key, windowStartMs, windowEndMs: windowStartMs + MINUTE_MS, count: 1, aggregates: { amount } }
}

/** Part of it, of a shard. */
export function aPartial(minute: number, amount: number, key = 'ann', shard = 0): AmountPartial {
  const shardId = `shardId-00000000000${shard}`
  const partialId = `${new Date(START_MS + minute * MINUTE_MS).toISOString()}#${shardId}#1.0`
  return { ...aWindow(minute, amount, key), shardId, partialId, firstSequenceNumber: '1' }
}
