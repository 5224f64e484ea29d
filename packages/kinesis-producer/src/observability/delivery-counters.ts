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
  #userRecordsPut = 0
  #userRecordsDataPut = 0
  #userRecordsFailed = 0
  #userRecordsRetried = 0
  #userRecordsThrottled = 0
  #kinesisRecordsPut = 0
  #kinesisRecordsDataPut = 0
  #allErrors = 0
  readonly #errorsByCode = new Map<string, number>()
  readonly #retriesPerRecord = new Histogram()
  readonly #bufferingTime = new Histogram()
  readonly #requestTime = new Histogram()
  readonly #userRecordsPerKinesisRecord = new Histogram()

  delivered(entry: PendingEntry): void {
    this.#attempted(entry)
    this.#userRecordsPut += entry.count
    this.#userRecordsDataPut += entry.userBytes
    this.#kinesisRecordsPut++
    this.#kinesisRecordsDataPut += entry.data.byteLength
    this.#userRecordsPerKinesisRecord.add(entry.count)
    this.#retriesPerRecord.add(entry.attempts - 1, entry.count)
  }

  attemptFailed(entry: PendingEntry, fault: TransportFault): void {
    this.#attempted(entry)
    if (fault.kind === 'throttled') this.#userRecordsThrottled += entry.count
    this.#allErrors++
    this.#countError(fault.reason, 1)
  }

  retrying(entry: PendingEntry): void {
    this.#userRecordsRetried += entry.count
  }

  failed(entry: PendingEntry): void {
    this.#userRecordsFailed += entry.count
    this.#retriesPerRecord.add(entry.attempts - 1, entry.count)
  }

  merge(other: DeliveryCounters): void {
    this.#userRecordsPut += other.#userRecordsPut
    this.#userRecordsDataPut += other.#userRecordsDataPut
    this.#userRecordsFailed += other.#userRecordsFailed
    this.#userRecordsRetried += other.#userRecordsRetried
    this.#userRecordsThrottled += other.#userRecordsThrottled
    this.#kinesisRecordsPut += other.#kinesisRecordsPut
    this.#kinesisRecordsDataPut += other.#kinesisRecordsDataPut
    this.#allErrors += other.#allErrors
    for (const [code, count] of other.#errorsByCode) this.#countError(code, count)
    this.#retriesPerRecord.merge(other.#retriesPerRecord)
    this.#bufferingTime.merge(other.#bufferingTime)
    this.#requestTime.merge(other.#requestTime)
    this.#userRecordsPerKinesisRecord.merge(other.#userRecordsPerKinesisRecord)
  }

  snapshot(): DeliveryMetrics {
    return {
      UserRecordsPut: this.#userRecordsPut,
      UserRecordsDataPut: this.#userRecordsDataPut,
      UserRecordsFailed: this.#userRecordsFailed,
      UserRecordsRetried: this.#userRecordsRetried,
      UserRecordsThrottled: this.#userRecordsThrottled,
      KinesisRecordsPut: this.#kinesisRecordsPut,
      KinesisRecordsDataPut: this.#kinesisRecordsDataPut,
      AllErrors: this.#allErrors,
      ErrorsByCode: Object.fromEntries(this.#errorsByCode),
      RetriesPerRecord: this.#retriesPerRecord.distribution(),
      BufferingTime: this.#bufferingTime.distribution(),
      RequestTime: this.#requestTime.distribution(),
      UserRecordsPerKinesisRecord: this.#userRecordsPerKinesisRecord.distribution(),
    }
  }

  /** The attempt is the last of the entry's history by now. */
  #attempted({ history, putAtMs }: PendingEntry): void {
    const { startedAtMs, durationMs } = history.at(-1)!
    const before = history.length > 1 ? history.at(-2)! : undefined
    const waitedSinceMs = before === undefined ? putAtMs : before.startedAtMs + before.durationMs
    this.#bufferingTime.add(startedAtMs - waitedSinceMs)
    this.#requestTime.add(durationMs)
    this.usedAtMs = startedAtMs + durationMs
  }

  #countError(reason: string, count: number): void {
    const isKnown = this.#errorsByCode.has(reason) || this.#errorsByCode.size < MAX_CODES
    const code = isKnown ? reason : OTHER_CODE
    this.#errorsByCode.set(code, (this.#errorsByCode.get(code) ?? 0) + count)
  }
}
