import { inParallel } from '../in-parallel.js'
import { type RejectedRecord, recordIdentity, rejectedPayload } from '../rejected-record.js'
import type { RejectedEntry } from './rejected-source.js'
import {
  NO_RECORDS,
  type ReplayOptions,
  type ReplayOutcome,
  type ReplayOutcomeKind,
  type ReplayReport,
  type ResolvedReplayOptions,
  resolveReplayOptions,
} from './replay-options.js'
import { ReplayPace } from './replay-pace.js'

/**
 * Puts rejected records back into a stream: windows of them, each sorted, keys at once and the records of one key one after the other. Behind
 * a record that failed nothing of its key is put. What was put is taken away from where it lay, window by window; everything else stays.
 *
 * A record may be put twice: when its put failed and was done all the same, when it could not be taken away, or when the process dies in
 * between. It comes back behind everything that the stream took in the meantime, newer records of its key among them.
 *
 * @throws InvalidOptionError for options that cannot work; what goes wrong later is in the report
 */
export async function replayRejected<Entry extends RejectedEntry>(
  options: ReplayOptions<Entry>,
): Promise<ReplayReport> {
  const resolved = resolveReplayOptions(options)
  try {
    return await new Replay(resolved).run()
  } finally {
    await resolved.source.release()
  }
}

/** Of payloads in base64, in one window. */
const MAX_WINDOW_BYTES = 64 * 1024 * 1024

/** Repeats lie near each other: one comes of a batch that was invoked again. */
const REMEMBERED_RECORDS = 100_000

interface Chosen<Entry> {
  entry: Entry
  record: RejectedRecord
}

class Replay<Entry extends RejectedEntry> {
  readonly #options: ResolvedReplayOptions<Entry>
  readonly #pace: ReplayPace
  readonly #report: ReplayReport = { ...NO_RECORDS, notRemoved: 0, stopped: undefined, error: undefined }
  /** What was put. */
  readonly #done = new Set<string>()
  /** At most as many as `maxFailures` allows, and those in flight with the last. */
  readonly #failedKeys = new Map<string, unknown>()

  constructor(options: ResolvedReplayOptions<Entry>) {
    this.#options = options
    this.#pace = new ReplayPace(options.maxRecordsPerSecond, options.clock)
  }

  async run(): Promise<ReplayReport> {
    const { source, signal, maxFailures, maxWindowRecords } = this.#options
    const entries = source.entries({ signal })[Symbol.asyncIterator]()
    try {
      let window: Chosen<Entry>[] = []
      let bytes = 0
      while (!this.#isOver) {
        const entry = await this.#next(entries)
        if (entry === undefined) break
        const record = this.#choose(entry)
        if (record === undefined) continue
        window.push({ entry, record })
        bytes += record.payload.length
        if (window.length < maxWindowRecords && bytes < MAX_WINDOW_BYTES) continue
        await this.#replay(window)
        window = []
        bytes = 0
      }
      await this.#replay(window)
    } finally {
      await entries.return?.()
    }
    if (this.#failedKeys.size >= maxFailures) this.#report.stopped ??= 'too-many-failures'
    if (signal?.aborted) this.#report.stopped ??= 'aborted'
    return this.#report
  }

  get #isOver(): boolean {
    const { signal, maxFailures } = this.#options
    return signal?.aborted === true || this.#failedKeys.size >= maxFailures
  }

  /** What was read before a source fails is put all the same. */
  async #next(entries: AsyncIterator<Entry>): Promise<Entry | undefined> {
    try {
      const next = await entries.next()
      return next.done ? undefined : next.value
    } catch (error) {
      this.#report.stopped = 'source-failed'
      this.#report.error = error
      return undefined
    }
  }

  #choose(entry: Entry): RejectedRecord | undefined {
    const { record, error } = entry
    if (record !== undefined && this.#options.isChosen(record)) return record
    this.#tell(outcomeOf(entry, record === undefined ? 'unreadable' : 'unchosen', error))
    return undefined
  }

  async #replay(window: Chosen<Entry>[]): Promise<void> {
    const byKey = Map.groupBy(window.sort(byPosition), ({ record }) => record.partitionKey)
    const outcomes: ReplayOutcome<Entry>[] = []
    await inParallel(byKey.values(), this.#options.maxConcurrency, async (lane) => {
      for (const chosen of lane) outcomes.push(await this.#settle(chosen))
    })
    await this.#remove(outcomes.filter(({ outcome }) => outcome === 'put' || outcome === 'repeated'))
    for (const outcome of outcomes) this.#tell(outcome)
  }

  async #settle({ entry, record }: Chosen<Entry>): Promise<ReplayOutcome<Entry>> {
    const { transform, destination, dryRun, signal } = this.#options
    const { partitionKey } = record
    const identity = recordIdentity(record)
    if (this.#done.has(identity)) return outcomeOf(entry, 'repeated')
    if (this.#failedKeys.has(partitionKey)) {
      return outcomeOf(entry, 'heldBack', this.#failedKeys.get(partitionKey))
    }
    if (!dryRun && !this.#isOver) await this.#pace.turn(signal)
    if (this.#isOver) return outcomeOf(entry, 'left')
    try {
      const payload = rejectedPayload(record)
      const data = transform === undefined ? payload : await transform(payload, record)
      if (!(data instanceof Uint8Array)) throw new TypeError('The transform gave no bytes.')
      if (!dryRun) await destination.put({ partitionKey, data })
    } catch (error) {
      this.#failedKeys.set(partitionKey, error)
      return outcomeOf(entry, 'failed', error)
    }
    this.#remember(identity)
    return outcomeOf(entry, dryRun ? 'planned' : 'put')
  }

  #remember(identity: string): void {
    this.#done.add(identity)
    if (this.#done.size <= REMEMBERED_RECORDS) return
    for (const oldest of this.#done) {
      this.#done.delete(oldest)
      return
    }
  }

  async #remove(settled: ReplayOutcome<Entry>[]): Promise<void> {
    const { source, keep, dryRun } = this.#options
    if (keep || dryRun || settled.length === 0) return
    try {
      const removals = await source.remove(settled.map(({ entry }) => entry))
      for (const [index, outcome] of settled.entries()) {
        const removal = removals[index]
        if (removal?.removed !== true) {
          outcome.removeError = removal?.error ?? new Error('The source did not say what came of it.')
        }
      }
    } catch (error) {
      for (const outcome of settled) outcome.removeError = error
    }
  }

  #tell(outcome: ReplayOutcome<Entry>): void {
    this.#report[outcome.outcome]++
    if (outcome.removeError !== undefined) this.#report.notRemoved++
    this.#options.onOutcome(outcome)
  }
}

function outcomeOf<Entry extends RejectedEntry>(
  entry: Entry,
  outcome: ReplayOutcomeKind,
  error?: unknown,
): ReplayOutcome<Entry> {
  return { entry, outcome, error, removeError: undefined }
}

/**
 * "Sequence numbers for the same partition key generally increase over time" (Kinesis developer guide, "Terminology and concepts"). They are
 * decimals of up to 129 digits without leading zeros: the longer is the larger.
 */
function byPosition({ record: a }: Chosen<unknown>, { record: b }: Chosen<unknown>): number {
  const [left, right] = [a.sequenceNumber, b.sequenceNumber]
  if (left.length !== right.length) return left.length - right.length
  if (left !== right) return left < right ? -1 : 1
  return a.subSequenceNumber - b.subSequenceNumber
}
