import { createHash } from 'node:crypto'
import type { HashKeyRange } from '@org/kinesis-core'
import type { Receipt } from '../../src/index.ts'
import type { Journal, Put } from './journal.ts'
import { numberOf } from './record-data.ts'
import type { Scenario } from './scenario.ts'
import type { StoredRecord, StreamContent } from './stream-content.ts'
import type { Rule, Violation } from './violation.ts'

/** Holds what the producer said of each record against what the stream holds. Knows nothing of how the producer works. */
export function judgeContent(
  scenario: Scenario,
  { puts, resumed }: Journal,
  content: StreamContent,
): Violation[] {
  const violations: Violation[] = []
  const report = (rule: Rule, message: string, numbers: readonly number[]) =>
    violations.push({ rule, message, puts: numbers })
  const isKeyed = scenario.distribution !== 'auto'
  const copies = copiesByPut(puts, content, isKeyed, report)
  const strayed = isKeyed ? strayedHolders(content) : new Map()
  judgeAggregates(scenario, content, report)

  for (const put of puts) {
    const found = copies.get(put.number) ?? []
    const places = found.length === 0 ? 'nowhere' : found.map(placeOf).join(', ')
    if (put.receipt !== undefined) judgeDelivered(put, put.receipt, found, strayed, report)
    else if (put.isDelivered && !found.some(({ holder }) => !strayed.has(holder)))
      report('delivered is there', `Put ${put.number} did not fail, and is ${places} to be read.`, [
        put.number,
      ])
    else if (put.isBad && found.length > 0)
      report('refused is not there', `Put ${put.number} was refused, and is at ${places}.`, [put.number])
    else if (put.error !== undefined && !put.error.maybeDelivered && found.length > 0) {
      const text = `Put ${put.number} failed with ${put.error.code} and maybeDelivered: false, and is at ${places}.`
      report('not delivered is not there', text, [put.number])
    }
    const attempts = put.receipt?.attempts ?? (put.error as { attempts?: number } | undefined)?.attempts
    if (attempts !== undefined && found.length > attempts) {
      const text = `Put ${put.number} took ${attempts} attempts, and is there ${found.length} times: ${places}.`
      report('no more copies than attempts', text, [put.number])
    }
  }
  if (scenario.producer.ordering === 'per-key') {
    // Where keys are ignored a key has no order that a reader could see.
    if (isKeyed) judgeOrder(puts, content, report)
    if (scenario.producer.onExpired === 'halt-key') judgeHalts(puts, resumed, report)
  }
  return violations
}

type Report = (rule: Rule, message: string, numbers: readonly number[]) => void

/** Where each put is, after a check that every record of the stream is one of them, unchanged. */
function copiesByPut(
  puts: readonly Put[],
  { records, shards }: StreamContent,
  isKeyed: boolean,
  report: Report,
): Map<number, StoredRecord[]> {
  const copies = new Map<number, StoredRecord[]>()
  for (const stored of records) {
    const number = numberOf(stored.data)
    const put = number === undefined ? undefined : puts[number]
    if (put === undefined) {
      report('nothing foreign is there', `${placeOf(stored)} holds what nobody put.`, [])
      continue
    }
    const sameBytes = Buffer.compare(stored.data, put.data) === 0
    const { subSequenceNumber, explicitHashKey } = stored
    // Alone, its hash key is in no answer: the shard that holds it tells.
    const sameHashKey =
      subSequenceNumber === undefined
        ? !isKeyed || isIn(shards.get(stored.holder.shardId), hashKeyOf(put))
        : hashKeyOf({ partitionKey: stored.partitionKey, explicitHashKey }) === hashKeyOf(put)
    if (!sameBytes || stored.partitionKey !== put.partitionKey || !sameHashKey) {
      const what = !sameBytes ? 'other data' : sameHashKey ? 'another key' : 'another hash key'
      report('nothing foreign is there', `${placeOf(stored)} holds put ${number} with ${what}.`, [put.number])
    }
    const known = copies.get(put.number)
    if (known === undefined) copies.set(put.number, [stored])
    else known.push(stored)
  }
  return copies
}

/** Aggregates are where they were asked for and are taken, no larger than allowed, and with an order per key of one key. */
function judgeAggregates(
  { producer, distribution }: Scenario,
  { records }: StreamContent,
  report: Report,
): void {
  const { aggregation, ordering } = producer
  const maxBytes = typeof aggregation === 'object' ? aggregation.maxContainerBytes : 51_200
  for (const stored of records) {
    const { holder, partitionKey, subSequenceNumber, data } = stored
    if (!holder.isAggregate) continue
    const wrong = [
      ...(aggregation === false ? ['nobody asked for it'] : []),
      ...(distribution === 'auto' ? ['consumers of this stream drop it'] : []),
      ...(subSequenceNumber === 0 && holder.bytes > maxBytes
        ? [`it has ${holder.bytes} bytes of ${maxBytes}`]
        : []),
      ...(ordering === 'per-key' && partitionKey !== holder.partitionKey ? ['it has another key'] : []),
    ]
    if (wrong.length === 0) continue
    const text = `${placeOf(stored)} is a member of an aggregate, and ${wrong.join(', and ')}.`
    report('aggregates are as asked for', text, [numberOf(data) ?? -1])
  }
}

/** Aggregates with a member that belongs elsewhere: a consumer drops the whole of them (KCL, AggregatorUtil). */
export function strayedHolders({
  records,
  shards,
}: StreamContent): Map<StoredRecord['holder'], StoredRecord> {
  const strayed = new Map<StoredRecord['holder'], StoredRecord>()
  for (const stored of records) {
    if (stored.subSequenceNumber === undefined) continue
    if (!isIn(shards.get(stored.holder.shardId), hashKeyOf(stored))) strayed.set(stored.holder, stored)
  }
  return strayed
}

function judgeDelivered(
  put: Put,
  receipt: Receipt,
  found: readonly StoredRecord[],
  strayed: ReadonlyMap<StoredRecord['holder'], StoredRecord>,
  report: Report,
): void {
  const { shardId, sequenceNumber, subSequenceNumber } = receipt
  const there = found.find(
    ({ holder, subSequenceNumber: sub = 0 }) =>
      holder.shardId === shardId && holder.sequenceNumber === sequenceNumber && sub === subSequenceNumber,
  )
  if (there === undefined) {
    const places = found.length === 0 ? 'nowhere' : `at ${found.map(placeOf).join(', ')}`
    const text = `Put ${put.number} has a receipt for ${placeOf({ holder: receipt, subSequenceNumber })}, and is ${places}.`
    report('delivered is there', text, [put.number])
    return
  }
  const stray = strayed.get(there.holder)
  if (stray === undefined) return
  const text = `Put ${put.number} was delivered in the aggregate ${placeOf(there)}, whose member ${placeOf(stray)} (put ${numberOf(stray.data)}) belongs into another shard: consumers drop them all.`
  report('members lie in their shard', text, [put.number, numberOf(stray.data) ?? put.number])
}

/** DESIGN: per producer instance, ignoring repeats of records already delivered, a key reads in `put` order. */
function judgeOrder(puts: readonly Put[], { records }: StreamContent, report: Report): void {
  const lastOfKey = new Map<string, { number: number; place: string }>()
  const seen = new Set<number>()
  for (const stored of records) {
    const number = numberOf(stored.data)
    const put = number === undefined ? undefined : puts[number]
    if (put?.isDelivered !== true || seen.has(put.number)) continue
    seen.add(put.number)
    const last = lastOfKey.get(put.partitionKey)
    if (last !== undefined && last.number > put.number) {
      const key = JSON.stringify(put.partitionKey.slice(0, 20))
      const text = `Of key ${key}, put ${put.number} first appears at ${placeOf(stored)}, behind the later put ${last.number} at ${last.place}.`
      report('keys are in order', text, [put.number, last.number])
    } else lastOfKey.set(put.partitionKey, { number: put.number, place: placeOf(stored) })
  }
}

/** Between a failure of a key and its resumption nothing of it is taken, and nothing that was put behind the failure is delivered. */
function judgeHalts(puts: readonly Put[], resumed: Journal['resumed'], report: Report): void {
  for (const failed of puts) {
    const [failedMoment] = failed.failedMoments
    if (failedMoment === undefined || failed.error?.code === 'PRODUCER_CLOSED') continue
    const { partitionKey, number, moment } = failed
    const resumedMoment = resumed.find(
      (resumption) => resumption.partitionKey === partitionKey && resumption.moment > failedMoment,
    )?.moment
    for (const later of puts.slice(number + 1)) {
      if (later.partitionKey !== partitionKey || !later.isDelivered) continue
      if (later.moment > (resumedMoment ?? Number.POSITIVE_INFINITY)) break
      const when = later.moment > failedMoment ? 'after that' : 'before it failed'
      const text = `Put ${number} failed with ${failed.error?.code} (put at moment ${moment}), and put ${later.number} of its key, put ${when}, was delivered.`
      report('halted keys have no gap', text, [number, later.number])
    }
  }
}

/** The service's own rule, written a second time: an explicit hash key, or the MD5 of the partition key as a number. */
function hashKeyOf(record: { partitionKey: string; explicitHashKey: string | undefined }): bigint {
  if (record.explicitHashKey !== undefined) return BigInt(record.explicitHashKey)
  return BigInt(`0x${createHash('md5').update(record.partitionKey, 'utf8').digest('hex')}`)
}

function isIn(range: HashKeyRange | undefined, hashKey: bigint): boolean {
  return range !== undefined && range.startingHashKey <= hashKey && hashKey <= range.endingHashKey
}

function placeOf({
  holder: { shardId, sequenceNumber },
  subSequenceNumber,
}: {
  holder: Pick<Receipt, 'shardId' | 'sequenceNumber'>
  subSequenceNumber: number | undefined
}): string {
  return `${shardId}/${sequenceNumber}${subSequenceNumber === undefined ? '' : `/${subSequenceNumber}`}`
}
