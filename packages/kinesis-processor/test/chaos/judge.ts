import { unmarshall } from '@aws-sdk/util-dynamodb'
import type { RejectedRecord } from '../../src/index.js'
import type { LedgerEntry } from './ledger.js'
import { FATES, type SinkKind } from './scenario.js'
import type { PutEvent } from './traffic.js'
import type { World } from './world.js'

interface Found {
  sink: SinkKind
  events: readonly PutEvent[]
  /** Numbers of the events in discarded batches. */
  deadLettered: ReadonlySet<number>
  rejected: readonly { n: number; reasonCode: string }[]
}

/** Says whatever is wrong with what the targets hold in the end. */
export function judge(world: World, found: Found): string[] {
  const complaints: string[] = []
  const complain = (rule: string, numbers: Iterable<number>) => {
    const list = [...numbers]
    if (list.length > 0) complaints.push(`${rule}: ${list.slice(0, 10).join(', ')} (${list.length} in all)`)
  }
  const good = found.events.filter(({ fate }) => fate === 'good')
  const accounted = (n: number) => found.deadLettered.has(n)

  judgeRejected(found, complain)
  if (found.sink === 'table' || found.sink === 'all-of' || found.sink === 'route') {
    const due = found.sink === 'route' ? good.filter(({ n }) => n % 2 === 0) : good
    judgeTable(itemsOf(world, 'all'), due, accounted, complain)
  }
  if (found.sink === 'latest' || found.sink === 'all-of')
    judgeLatest(itemsOf(world, 'latest'), good, accounted, complain)
  if (found.sink === 'ledger' || found.sink === 'all-of' || found.sink === 'route') {
    const due = found.sink === 'route' ? good.filter(({ n }) => n % 2 === 1) : good
    judgeLedger(world, due, accounted, complain)
  }
  for (const { received, ...of } of world.reports) {
    const sum = of.stored + of.rejected + of.dropped + of.deduplicated + of.unresolved
    if (sum !== received) complaints.push(`a report counts ${sum} of ${received} records`)
    if (of.checkpointAdvance > received - of.unresolved)
      complaints.push(
        `a report passes ${of.checkpointAdvance} of ${received} records, ${of.unresolved} unresolved`,
      )
  }
  return complaints
}

type Complain = (rule: string, numbers: Iterable<number>) => void
type Accounted = (n: number) => boolean
type Item = { id: string; n: number; key: string; fate: string; label: string }

function itemsOf({ sim }: World, table: string): Item[] {
  return sim.dynamodb.items(table).map((item) => unmarshall(item as never) as Item)
}

/** Whoever reads the rejected records: exactly the bad ones, each for its reason. */
export function readRejected(bodies: readonly string[]): { n: number; reasonCode: string }[] {
  return bodies.map((body) => {
    const { payload, reasonCode } = JSON.parse(body) as RejectedRecord
    return { n: eventIn(Buffer.from(payload, 'base64')), reasonCode }
  })
}

export function eventIn(data: Uint8Array): number {
  const n = /event-(\d+)/.exec(Buffer.from(data).toString('latin1'))?.[1]
  if (n === undefined) throw new Error('There is a record that the campaign did not put.')
  return Number(n)
}

function judgeRejected({ events, rejected, deadLettered }: Found, complain: Complain): void {
  const reasons = new Map(events.map(({ n, fate }) => [n, FATES[fate]]))
  const there = new Set(rejected.map(({ n }) => n))
  complain(
    'bad, and neither rejected nor dead-lettered',
    [...reasons]
      .filter(([n, reason]) => reason !== undefined && !there.has(n) && !deadLettered.has(n))
      .map(([n]) => n),
  )
  complain(
    'rejected for another reason than its own, or without one',
    rejected.filter(({ n, reasonCode }) => reasons.get(n) !== reasonCode).map(({ n }) => n),
  )
}

function judgeTable(
  items: readonly Item[],
  due: readonly PutEvent[],
  accounted: Accounted,
  complain: Complain,
): void {
  const stored = new Set(items.map(({ n }) => n))
  complain(
    'lost: not in the table, nor dead-lettered',
    due.filter(({ n }) => !stored.has(n) && !accounted(n)).map(({ n }) => n),
  )
  const byNumber = new Map(due.map((event) => [event.n, event]))
  complain(
    'in the table, and not as it should be',
    items
      .filter(({ n, ...of }) => {
        const event = byNumber.get(n)
        return of.id !== `event-${n}` || of.key !== event?.key || of.label !== `label-${event.key}`
      })
      .map(({ n }) => n),
  )
}

/** One item a key: the last event of the key. */
function judgeLatest(
  items: readonly Item[],
  good: readonly PutEvent[],
  accounted: Accounted,
  complain: Complain,
): void {
  const byKey = new Map(items.map((item) => [item.key, item.n]))
  const wrong: number[] = []
  for (const [key, events] of Map.groupBy(good, (event) => event.key)) {
    const least = events.findLast(({ n }) => !accounted(n))?.n
    const is = byKey.get(key)
    const isOfKey = is === undefined || events.some(({ n }) => n === is)
    if (!isOfKey || (least !== undefined && (is === undefined || is < least))) wrong.push(is ?? least!)
  }
  complain('not the last of its key', wrong)
}

function judgeLedger(world: World, due: readonly PutEvent[], accounted: Accounted, complain: Complain): void {
  const { entries } = world.ledger
  const keys = new Map(due.map(({ n, key }) => [n, key]))
  const stored = new Set(entries.map(({ n }) => n))
  complain(
    'lost: not in the ledger, nor dead-lettered',
    due.filter(({ n }) => !stored.has(n) && !accounted(n)).map(({ n }) => n),
  )
  complain(
    'in the ledger, and not to be there',
    entries.filter(({ n, key }) => keys.get(n) !== key).map(({ n }) => n),
  )
  const outOfOrder: number[] = []
  const lastOfKey = new Map<string, number>()
  const seen = new Set<number>()
  for (const { n, key } of entries) {
    // What was given up has lost its place: its producer may send it again later.
    if (!seen.has(n) && !accounted(n)) {
      if (n < (lastOfKey.get(key) ?? -1)) outOfOrder.push(n)
      lastOfKey.set(key, n)
    }
    seen.add(n)
  }
  complain('out of the order of its key', outOfOrder)
  complain('written again within an invocation', writtenAgain(entries))
}

/** What an invocation knew to be stored, and its producer's resends of it in one batch, is not to be stored by it once more. */
function writtenAgain(entries: readonly LedgerEntry[]): number[] {
  const confirmed = new Map<object | undefined, Set<number>>()
  const again: number[] = []
  for (const { n, life, isConfirmed } of entries) {
    const ofLife = confirmed.get(life) ?? new Set()
    if (ofLife.has(n)) again.push(n)
    if (isConfirmed) confirmed.set(life, ofLife.add(n))
  }
  return again
}
