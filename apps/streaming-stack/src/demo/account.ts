import type { LedgerEntry } from './ledger.js'
import type { FirstWrite } from './store-observer.js'

/** What was found, each from its own place: nothing here is a counter of the pipeline's own. */
export interface Evidence {
  /** What the generator put, from its ledger. */
  ledger: Iterable<LedgerEntry>
  /** Items per event id, from a scan of the table. */
  stored: ReadonlyMap<string, number>
  /** From the table's answers on the wire. */
  firstWrites: ReadonlyMap<string, FirstWrite>
  /** From the rejected queue. */
  rejected: readonly RejectedEvidence[]
  /** Positions (`shard/sequence number`) in the failure destination. */
  deadLettered: ReadonlySet<string>
  /** Lines per event id, from the objects in the lake. */
  lake: ReadonlyMap<string, number>
  /** Events in the merged windows, from the windows table. */
  windowed: number
}

export interface RejectedEvidence {
  position: string
  reasonCode: string
  /** Base64; tells a record that the producer sent twice from two records. */
  payload: string
}

export interface Account {
  balanced: boolean
  /** Empty where it balances: each entry says which equation does not hold, with its numbers. */
  imbalances: string[]
  produced: number
  stored: number
  rejected: number
  deadLettered: number
  delivered: number
  windowed: number
  undecodable: number
  lost: number
  duplicated: number
  lakeDuplicates: number
  outOfOrder: number
  /** Events whose put failed and that are nowhere: the generator was told, so they are not lost. */
  failedPuts: number
  /** Events put under an id that came before: they are that event once more, and counted in nothing else. */
  repeatedIds: number
  rejectedByReason: Record<string, number>
  p50LatencyMs: number | null
  p99LatencyMs: number | null
}

export function position(shardId: string, sequenceNumber: string): string {
  return `${shardId}/${sequenceNumber}`
}

/**
 * Balances what was put against what was found: produced = stored + rejected + deadLettered, delivered = produced less
 * undecodable, windowed = the valid events, and every key read in the order in which it was put.
 */
export function settleAccount(evidence: Evidence): Account {
  const { ledger, stored, firstWrites, deadLettered, lake } = evidence
  const rejections = distinctRejections(evidence.rejected)
  const count = {
    produced: 0,
    undecodable: 0,
    lost: 0,
    badStored: 0,
    deadLettered: 0,
    deadGood: 0,
    failedPuts: 0,
    repeated: 0,
  }
  const seen = new Set<string>()
  const latencies: number[] = []
  const puts: { entry: LedgerEntry; order: number }[] = []

  for (const entry of ledger) {
    const place = position(entry.shardId, entry.sequenceNumber)
    const isStored = stored.has(entry.eventId)
    const isRejected = rejections.positions.has(place)
    const isDead = !isStored && !isRejected && deadLettered.has(place)
    const isFound = isStored || isRejected || isDead
    // One id is one event, however often it is put.
    if (isStored && seen.has(entry.eventId)) {
      count.repeated += 1
      continue
    }
    seen.add(entry.eventId)
    if (!entry.delivered && !isFound) {
      count.failedPuts += 1
      continue
    }
    count.produced += 1
    if (!entry.decodable) count.undecodable += 1
    if (!isFound) count.lost += 1
    if (isDead) count.deadLettered += 1
    if (isDead && entry.kind === 'good') count.deadGood += 1
    if (isStored && entry.kind !== 'good') count.badStored += 1
    const write = firstWrites.get(entry.eventId)
    if (write !== undefined) {
      latencies.push(write.atMs - entry.putAtMs)
      puts.push({ entry, order: write.order })
    }
  }

  const account = {
    produced: count.produced,
    stored: stored.size,
    rejected: rejections.count,
    deadLettered: count.deadLettered,
    delivered: lake.size,
    windowed: evidence.windowed,
    undecodable: count.undecodable,
    lost: count.lost,
    duplicated: countWhere(stored.values(), (items) => items > 1),
    lakeDuplicates: sum(lake.values()) - lake.size,
    outOfOrder: countOutOfOrder(puts),
    failedPuts: count.failedPuts,
    repeatedIds: count.repeated,
    rejectedByReason: rejections.byReason,
    ...percentiles(latencies),
  }
  const imbalances = imbalancesOf(account, count.badStored, count.deadGood)
  return { balanced: imbalances.length === 0, imbalances, ...account }
}

function imbalancesOf(
  account: Omit<Account, 'balanced' | 'imbalances'>,
  badStored: number,
  deadGood: number,
): string[] {
  const { produced, stored, rejected, deadLettered, delivered, undecodable, windowed, repeatedIds } = account
  // Valid, but beyond what a table holds: windows count them all the same.
  const unstorable = account.rejectedByReason.unstorable ?? 0
  const found: string[] = []
  const expectZero = (name: string, value: number) =>
    value === 0 || found.push(`${name}: ${value} (expected 0)`)
  const expectEqual = (left: string, a: number, right: string, b: number) =>
    a === b || found.push(`${left} = ${a}, but ${right} = ${b}`)
  expectEqual('produced', produced, 'stored + rejected + deadLettered', stored + rejected + deadLettered)
  expectEqual('delivered', delivered, 'produced - undecodable', produced - undecodable)
  expectEqual('windowed', windowed, 'valid events put', stored + deadGood + unstorable + repeatedIds)
  expectZero('lost', account.lost)
  expectZero('duplicated', account.duplicated)
  expectZero('outOfOrder', account.outOfOrder)
  expectZero('bad records that were stored', badStored)
  return found
}

/** A record that the producer had to send twice is in the stream twice and is rejected twice, but was one event. */
function distinctRejections(rejected: readonly RejectedEvidence[]) {
  const positions = new Set<string>()
  const payloads = new Set<string>()
  const byReason: Record<string, number> = {}
  for (const { position: place, reasonCode, payload } of rejected) {
    if (positions.has(place)) continue
    positions.add(place)
    if (payloads.has(payload)) continue
    payloads.add(payload)
    byReason[reasonCode] = (byReason[reasonCode] ?? 0) + 1
  }
  return { positions, count: payloads.size, byReason }
}

/** Events that the table took before an event of the same key that was put earlier. */
function countOutOfOrder(puts: { entry: LedgerEntry; order: number }[]): number {
  puts.sort((a, b) => a.entry.index - b.entry.index)
  const latest = new Map<string, number>()
  let outOfOrder = 0
  for (const { entry, order } of puts) {
    const before = latest.get(entry.partitionKey) ?? -1
    if (order < before) outOfOrder += 1
    else latest.set(entry.partitionKey, order)
  }
  return outOfOrder
}

function percentiles(latencies: number[]): { p50LatencyMs: number | null; p99LatencyMs: number | null } {
  latencies.sort((a, b) => a - b)
  // Nearest rank: the smallest latency that at least this share of the events did not exceed.
  const at = (share: number) => {
    const value = latencies[Math.ceil(share * latencies.length) - 1]
    return value === undefined ? null : Math.round(value * 10) / 10
  }
  return { p50LatencyMs: at(0.5), p99LatencyMs: at(0.99) }
}

function countWhere(values: Iterable<number>, test: (value: number) => boolean): number {
  let count = 0
  for (const value of values) if (test(value)) count += 1
  return count
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
