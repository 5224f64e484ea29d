import type { Receipt } from '../../src/index.ts'
import { isRefused, type Journal } from './journal.ts'
import { numberOf } from './record-data.ts'
import { type Scenario, setBack } from './scenario.ts'
import type { Rule, Violation } from './violation.ts'

/** What a timer, a turn of the loop or a busy machine may add to the time that a record lives. */
const SLACK_MS = { simulated: 1_000, wire: 10_000 }
/** What a record costs beside its data and key, as `maxBufferedBytes` documents it. */
const RECORD_OVERHEAD_BYTES = 512

/** What an aggregate takes beside the data and keys of its members, the longest key of its own included. */
const AGGREGATE_FRAME_BYTES = 500

/** Holds what the producer told in several ways (promises, hooks, `stats`, `close`) against each other. */
export function judgeAccount(scenario: Scenario, journal: Journal): Violation[] {
  const violations: Violation[] = []
  const report = (rule: Rule, message: string, numbers: readonly number[] = []) =>
    violations.push({ rule, message, puts: numbers })
  judgeSettlement(scenario, journal, report)
  judgeHooks(journal, report)
  judgeClose(journal, report)
  judgeStats(journal, report)
  judgeMemory(scenario, journal, report)
  return violations
}

type Report = (rule: Rule, message: string, numbers?: readonly number[]) => void

function judgeSettlement(scenario: Scenario, { puts, flushes }: Journal, report: Report): void {
  const { recordTtlMs, requestTimeoutMs } = scenario.producer
  // A clock that is set back gives everything that waits so much more time.
  const setBackMs = setBack(scenario)
  const limitMs = recordTtlMs + requestTimeoutMs + setBackMs + SLACK_MS[scenario.mode]
  for (const put of puts) {
    const { number, atMs, settledAtMs, receipt, error, isBad, isBlind } = put
    if (settledAtMs === undefined) {
      report('every put settles', `Put ${number} has not settled.`, [number])
      continue
    }
    if (isBad && put.isDelivered)
      report('every put settles', `Put ${number} is no valid record, and was delivered.`, [number])
    if (receipt !== undefined) judgeHistory(scenario, number, receipt, report)
    // Of a blind one it is not known when it was delivered, and `putAll` may wait for room before it puts.
    if (!isBlind && settledAtMs - atMs > limitMs) {
      const text = `Put ${number} took ${Math.round(settledAtMs - atMs)} ms to settle; recordTtlMs and requestTimeoutMs allow ${limitMs}.`
      report('settles in time', text, [number])
    }
    if (error !== undefined && typeof error.maybeDelivered !== 'boolean')
      report('every put settles', `Put ${number} rejected with no error of the producer: ${error}.`, [number])
  }
  for (const { puts: before, calledAtMs, open } of flushes) {
    if (open === undefined)
      report('flush is a barrier', `The flush at ${calledAtMs}, after ${before} puts, never ended.`)
    else if (open.length > 0)
      report(
        'flush is a barrier',
        `A flush ended before puts ${open.slice(0, 5).join(', ')} had settled.`,
        open,
      )
  }
}

function judgeHistory(
  { producer: { maxAttempts } }: Scenario,
  number: number,
  { attempts, history, subSequenceNumber }: Receipt,
  report: Report,
): void {
  const isTrue =
    history.length === attempts &&
    attempts <= maxAttempts &&
    subSequenceNumber >= 0 &&
    history.every(
      ({ startedAtMs, errorCode }, index) =>
        Number.isFinite(startedAtMs) && (errorCode === undefined) === (index === attempts - 1),
    )
  if (isTrue) return
  const text = `Put ${number} took ${attempts} attempts of ${maxAttempts}, and its history is ${JSON.stringify(history)}.`
  report('receipts tell the history', text, [number])
}

const REFUSALS = new Set([
  'INVALID_RECORD',
  'RECORD_TOO_LARGE',
  'QUEUE_FULL',
  'KEY_HALTED',
  'PRODUCER_CLOSED',
])

function judgeHooks(journal: Journal, report: Report): void {
  const { puts, strayFailures, batches, wrongTallies, settledTwice } = journal
  for (const put of puts) {
    const { number, error, failedMoments } = put
    if (failedMoments.length > 1)
      report('hooks agree', `onRecordFailed told ${failedMoments.length} times of put ${number}.`, [number])
    if (error === undefined && failedMoments.length > 0)
      report('hooks agree', `onRecordFailed told of put ${number}, which was delivered.`, [number])
    if (isRefused(put) && !REFUSALS.has(error!.code))
      report('hooks agree', `Put ${number} failed with ${error!.code}, and onRecordFailed did not tell.`, [
        number,
      ])
  }
  for (const data of strayFailures)
    report('hooks agree', `onRecordFailed told of a record that nobody put: ${data}.`)
  for (const text of wrongTallies) report('hooks agree', text)
  for (const number of settledTwice) report('every put settles', `Put ${number} settled twice.`, [number])
  const delivered = puts.filter(({ isDelivered }) => isDelivered).length
  // What is told of as unverified may be delivered without another word.
  if (delivered < batches.delivered || delivered > batches.delivered + batches.unverified)
    report(
      'hooks agree',
      `onBatchSettled told of ${batches.delivered} delivered and ${batches.unverified} unverified records, ${delivered} puts were delivered.`,
    )
}

function judgeClose({ puts, closed, closingMoment }: Journal, report: Report): void {
  if (closed === undefined) {
    report('close accounts for all', 'close() never ended.')
    return
  }
  const told = new Set<number>()
  for (const { data, error } of closed.undelivered) {
    const number = numberOf(data) ?? -1
    const put = puts[number]
    if (told.has(number)) report('close accounts for all', `close() gave put ${number} twice.`, [number])
    told.add(number)
    if (put?.error !== error)
      report('close accounts for all', `close() gave put ${number} with another error than its put.`, [
        number,
      ])
  }
  for (const { number, error, failedMoments } of puts) {
    const failedMoment = failedMoments[0] ?? 0
    if (failedMoment < (closingMoment ?? Number.POSITIVE_INFINITY) || told.has(number)) continue
    const text = `Put ${number} failed with ${error?.code} while the producer closed, and close() does not say so.`
    report('close accounts for all', text, [number])
  }
}

function judgeStats(journal: Journal, report: Report): void {
  const { puts, stats, batches, timersLeft, retriedByHook } = journal
  if (stats === undefined) return
  const refused = puts.filter(isRefused).length
  const expected = {
    put: puts.length - refused,
    delivered: puts.filter(({ isDelivered }) => isDelivered).length,
    failed: puts.filter((put) => put.error !== undefined && !isRefused(put)).length,
    // `putAll` tries again where the buffer was full.
    ...(puts.some(({ way }) => way === 'put-all') ? {} : { refused }),
    retried: retriedByHook,
    requests: batches.sent,
  }
  for (const [name, value] of Object.entries(expected)) {
    const told = stats[name as keyof typeof expected]
    if (value !== undefined && told !== value)
      report('stats agree', `stats().${name} is ${told}, ${value} were counted.`)
  }
  const { retried, unverified } = batches
  if (retriedByHook < retried || retriedByHook > retried + unverified)
    report(
      'hooks agree',
      `onRecordRetried told of ${retriedByHook} records, onBatchSettled of ${retried} and ${unverified} unverified.`,
    )
  const left = { pending: 0, bufferedBytes: 0, waitingForRoom: 0, inFlightRequests: 0 }
  for (const name of Object.keys(left) as (keyof typeof left)[]) {
    if (stats[name] !== 0) report('nothing is left', `stats().${name} is ${stats[name]} after close().`)
  }
  if (timersLeft !== 0) report('nothing is left', `${timersLeft} timers still run after close().`)
}

function judgeMemory(
  { producer, traffic, shards, distribution, reshards }: Scenario,
  { puts, peakBufferedBytes }: Journal,
  report: Report,
): void {
  const { maxBufferedBytes, aggregation } = producer
  // A single record is always taken, whatever the bound.
  const largest = puts.reduce(
    (most, { data, partitionKey }) =>
      Math.max(most, data.length + Buffer.byteLength(partitionKey) + RECORD_OVERHEAD_BYTES),
    0,
  )
  const bound = Math.max(maxBufferedBytes, largest)
  // What waited alone is packed when the shards are known, and gets the frame of an aggregate whether there is room or not; so do the
  // parts of one that is divided, and a receipt that is the first among records without.
  const open = Math.min(puts.length, producer.ordering === 'per-key' ? traffic.keys.count : 64 * shards)
  const grows =
    reshards.length > 0 || distribution === 'on-demand' || traffic.way === 'any' || traffic.blind > 0
  const allowed = aggregation === false ? bound : (grows ? 2 * bound : bound) + open * AGGREGATE_FRAME_BYTES
  if (peakBufferedBytes > allowed)
    report('memory is bounded', `${peakBufferedBytes} bytes were buffered, ${allowed} are allowed.`)
}
