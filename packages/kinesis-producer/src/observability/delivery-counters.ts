import type { PendingEntry } from '../pending-entry.js'
import type { TransportFault } from '../put-records-transport.js'
import { Histogram } from './histogram.js'
import type { DeliveryMetrics } from './producer-metrics.js'

/** Names of faults that are kept apart; a transport that makes one up for each fault must not use up memory. */
const MAX_CODES = 64
const OTHER_CODE = 'Other'

/** What has become of the entries of one shard. Told once for each attempt and each outcome of an entry, never for its records. */
export class DeliveryCounters {
  /** When it last counted something. */
  usedAtMs = 0
  readonly #counts = {
    UserRecordsPut: 0,
    UserRecordsDataPut: 0,
    UserRecordsFailed: 0,
    UserRecordsRetried: 0,
    UserRecordsThrottled: 0,
    KinesisRecordsPut: 0,
    KinesisRecordsDataPut: 0,
    AllErrors: 0,
  }
  readonly #distributions = {
    RetriesPerRecord: new Histogram(),
    BufferingTime: new Histogram(),
    RequestTime: new Histogram(),
    UserRecordsPerKinesisRecord: new Histogram(),
  }
  readonly #errorsByCode = new Map<string, number>()

  delivered(entry: PendingEntry): void {
    this.#attempted(entry)
    this.#counts.UserRecordsPut += entry.count
    this.#counts.UserRecordsDataPut += entry.userBytes
    this.#counts.KinesisRecordsPut++
    this.#counts.KinesisRecordsDataPut += entry.dataBytes
    this.#distributions.UserRecordsPerKinesisRecord.add(entry.count)
    this.#distributions.RetriesPerRecord.add(entry.attempts - 1, entry.count)
  }

  attemptFailed(entry: PendingEntry, fault: TransportFault): void {
    this.#attempted(entry)
    if (fault.kind === 'throttled') this.#counts.UserRecordsThrottled += entry.count
    this.#counts.AllErrors++
    this.#countError(fault.reason, 1)
  }

  retrying(entry: PendingEntry): void {
    this.#counts.UserRecordsRetried += entry.count
  }

  failed(entry: PendingEntry): void {
    this.#counts.UserRecordsFailed += entry.count
    this.#distributions.RetriesPerRecord.add(entry.attempts - 1, entry.count)
  }

  merge(other: DeliveryCounters): void {
    for (const name of keysOf(this.#counts)) this.#counts[name] += other.#counts[name]
    for (const name of keysOf(this.#distributions))
      this.#distributions[name].merge(other.#distributions[name])
    for (const [code, count] of other.#errorsByCode) this.#countError(code, count)
  }

  snapshot(): DeliveryMetrics {
    const { RetriesPerRecord, BufferingTime, RequestTime, UserRecordsPerKinesisRecord } = this.#distributions
    return {
      ...this.#counts,
      ErrorsByCode: Object.fromEntries(this.#errorsByCode),
      RetriesPerRecord: RetriesPerRecord.distribution(),
      BufferingTime: BufferingTime.distribution(),
      RequestTime: RequestTime.distribution(),
      UserRecordsPerKinesisRecord: UserRecordsPerKinesisRecord.distribution(),
    }
  }

  /** The attempt is the last of the entry's history by now. */
  #attempted({ history, putAtMs }: PendingEntry): void {
    const { startedAtMs, durationMs } = history.at(-1)!
    const before = history.at(-2)
    const waitedSinceMs = before === undefined ? putAtMs : before.startedAtMs + before.durationMs
    this.#distributions.BufferingTime.add(startedAtMs - waitedSinceMs)
    this.#distributions.RequestTime.add(durationMs)
    this.usedAtMs = startedAtMs + durationMs
  }

  #countError(reason: string, count: number): void {
    const isKnown = this.#errorsByCode.has(reason) || this.#errorsByCode.size < MAX_CODES
    const code = isKnown ? reason : OTHER_CODE
    this.#errorsByCode.set(code, (this.#errorsByCode.get(code) ?? 0) + count)
  }
}

function keysOf<T extends object>(record: T): (keyof T)[] {
  return Object.keys(record) as (keyof T)[]
}
