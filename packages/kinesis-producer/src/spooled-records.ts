import type { Clock } from '@org/kinesis-core'
import type { DeliveryQueue } from './delivery-queue.js'
import { Fifo } from './fifo.js'
import type { ProducerTelemetry } from './observability/producer-telemetry.js'
import type { PendingEntry, Reject, Resolve } from './pending-entry.js'
import { type ProducerError, producerIsClosed, QueueFullError } from './producer-errors.js'
import type { ProducerHooks } from './producer-hooks.js'
import type { CheckedRecord, RecordChecker } from './record-input.js'
import type { Spool, SpoolStats } from './spool/spool.js'
import { cannotOpen, SpoolError, spoolIsStarting, stateIsUnknown } from './spool/spool-error.js'
import type { ResolvedSpoolOptions } from './spool/spool-options.js'
import type { RecoveredRecord } from './spool/spool-record.js'

export interface SpooledRecordsOptions {
  spool: ResolvedSpoolOptions
  maxBufferedBytes: number
  clock: Clock
  hooks: ProducerHooks
}

export interface ProducerParts {
  queue: DeliveryQueue
  checker: RecordChecker
  telemetry: Pick<ProducerTelemetry, 'recordFailed' | 'spoolDamaged' | 'spoolFailed'>
}

/** Takes a record that is at this position of the spool into the queue. */
export type Admit = (
  record: CheckedRecord,
  mayWait: boolean,
  resolve: Resolve | undefined,
  reject: Reject | undefined,
  position: number,
) => void

/** Whoever came before the spool could take new records. */
interface Held {
  run: () => void
  refuse: (error: ProducerError) => void
  mayWait: boolean
}

/**
 * The records of a producer that are on disk: what the process before left goes first, as there is room for it, and new ones are held until all
 * of it has been let in, so that no key is overtaken.
 */
export class SpooledRecords {
  /** Records of the process before that have been let in. */
  recovered = 0
  /** Puts that were held, or not even that, and then refused. */
  refused = 0
  readonly #options: SpooledRecordsOptions
  readonly #parts: ProducerParts
  readonly #admit: Admit
  readonly #started: Promise<void>
  #state: 'starting' | 'started' | 'closed' = 'starting'
  #failure: ProducerError | undefined
  #spool: Spool | undefined
  #held = new Fifo<Held>()
  /** What is recovered has filled the buffer: whoever may not wait for room is refused. */
  #isCrowded = false
  #hasWarned = false
  #toldDamage = 0
  /** Nobody awaits a record of the process before: without a hook nobody would hear of its failure. */
  readonly #onRecoveredFailed: Reject | undefined

  constructor(options: SpooledRecordsOptions, parts: ProducerParts, admit: Admit) {
    this.#options = options
    this.#parts = parts
    this.#admit = admit
    if (options.hooks.onRecordFailed === undefined) this.#onRecoveredFailed = (error) => this.#warn(error)
    this.#started = this.#start().then(
      () => this.#letIn(),
      (cause: unknown) => this.#fail(toSpoolError(cause, options.spool.directory)),
    )
  }

  /** True until the first new record can be taken, or never will be. */
  get isStarting(): boolean {
    return this.#state === 'starting'
  }

  /** Takes a new record, at once or after those that are recovered; throws where it is not taken. */
  take(record: CheckedRecord, mayWait: boolean, resolve?: Resolve, reject?: Reject): void {
    if (!this.isStarting) this.#write(record, mayWait, resolve, reject)
    else if (this.#isCrowded && !mayWait) throw this.#crowdedError()
    else {
      const refuse = (error: ProducerError) => {
        this.refused++
        reject?.(error)
      }
      this.#held.push({ run: () => this.#write(record, mayWait, resolve, reject), refuse, mayWait })
    }
  }

  /** Throws what tells a caller that cannot wait to do so. */
  refuseWhileStarting(): void {
    if (!this.isStarting) return
    this.refused++
    throw spoolIsStarting(this.#options.spool.directory)
  }

  /** Resolves when new records are taken; rejects where they are not, now or any more. */
  async ready(): Promise<void> {
    if (this.isStarting) await this.whenStarted(() => {})
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Runs it behind what is held by now, whether that is taken or refused. */
  whenStarted<T>(run: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      const end = () => resolve(run())
      this.#held.push({ run: end, refuse: end, mayWait: true })
    })
  }

  /** Delivered, or failed and told: the next process need not know of it. What `close` gives up it shall. */
  settle({ positions }: PendingEntry): void {
    if (this.#state === 'closed') return
    for (const position of positions ?? []) this.#spool!.settle(position)
  }

  /** Undefined until it is open. */
  stats(): SpoolStats | undefined {
    return this.#spool?.stats()
  }

  /** Lets no more in; what has not been let in stays on disk. */
  stop(): void {
    this.#state = 'closed'
    this.#refuseHeld(producerIsClosed())
  }

  /** Resolves when everything is on the disk, and another process may have it. */
  async close(): Promise<void> {
    await this.#started
    try {
      await this.#spool?.close()
    } catch (cause) {
      const { directory } = this.#options.spool
      this.#fail(
        cause instanceof SpoolError ? cause : stateIsUnknown(directory, { what: 'closing it', cause }),
      )
    }
  }

  async #start(): Promise<void> {
    // Whoever has no spool does not load it.
    const { Spool } = await import('./spool/spool.js')
    const { spool: options, clock } = this.#options
    const spool = await Spool.open(options, { clock, onFailed: (error) => this.#fail(error) })
    this.#spool = spool
    this.#tellDamage(spool)
    try {
      const { buffer } = this.#parts.queue
      for await (const record of spool.recovered) {
        while (!buffer.hasRoom && this.isStarting) {
          this.#isCrowded = true
          this.#refuseHeld(this.#crowdedError())
          await buffer.whenRoom()
        }
        if (!this.isStarting) return
        this.#recover(record)
      }
    } finally {
      this.#tellDamage(spool)
    }
  }

  #recover({ position, partitionKey, explicitHashKey, data }: RecoveredRecord): void {
    const { queue, checker, telemetry } = this.#parts
    const record = { partitionKey, ...(explicitHashKey === undefined ? {} : { explicitHashKey }), data }
    this.recovered++
    try {
      this.#admit(checker.check(record), true, undefined, this.#onRecoveredFailed, position)
    } catch (error) {
      // Its key is halted, or the limits are others now.
      queue.counts.put++
      queue.counts.failed++
      this.#onRecoveredFailed?.(error as ProducerError)
      telemetry.recordFailed(record, error as ProducerError)
      this.#spool!.settle(position)
    }
  }

  /** Appends a record that the queue is certain to take, and has it taken. */
  #write(record: CheckedRecord, mayWait: boolean, resolve?: Resolve, reject?: Reject): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#parts.queue.admission(record, mayWait)
    const { partitionKey, explicitHashKey } = record
    const data = typeof record.data === 'string' ? Buffer.from(record.data) : record.data
    const position = this.#spool!.append({ partitionKey, explicitHashKey, data })
    this.#admit(record, mayWait, resolve, reject, position)
  }

  #letIn(): void {
    if (!this.isStarting) return
    // One that comes meanwhile, by a hook, stands behind the others.
    for (let held = this.#held.shift(); held !== undefined; held = this.#held.shift()) {
      try {
        held.run()
      } catch (error) {
        held.refuse(error as ProducerError)
      }
    }
    if (this.isStarting) this.#state = 'started'
  }

  #fail(error: ProducerError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    if (this.isStarting) this.#state = 'started'
    this.#refuseHeld(error)
    this.#parts.telemetry.spoolFailed(error)
  }

  /** Those who may wait are spared, where room is all that is lacking. */
  #refuseHeld(error: ProducerError): void {
    const held = this.#held
    this.#held = new Fifo()
    for (let each = held.shift(); each !== undefined; each = held.shift()) {
      if (error instanceof QueueFullError && each.mayWait) this.#held.push(each)
      else each.refuse(error)
    }
  }

  #crowdedError(): QueueFullError {
    return new QueueFullError(this.#parts.queue.buffer.bytes, this.#options.maxBufferedBytes)
  }

  #tellDamage(spool: Spool): void {
    const { report } = spool
    for (; this.#toldDamage < report.length; this.#toldDamage++) {
      const damage = report[this.#toldDamage]!
      if (this.#parts.telemetry.spoolDamaged(damage)) continue
      const { directory } = this.#options.spool
      const { segment, offset, bytes, reason } = damage
      emitWarning(
        `The spool in ${directory} has ${bytes} bytes that are no records: ${segment} at ${offset}, ${reason}. The rest is sent.`,
      )
    }
  }

  #warn(error: ProducerError): void {
    if (this.#hasWarned || this.#state === 'closed') return
    this.#hasWarned = true
    emitWarning(
      `A record that the process before left in the spool was given up: ${error.message} hooks.onRecordFailed tells of each.`,
    )
  }
}

function emitWarning(text: string): void {
  process.emitWarning(text, { code: 'KINESIS_PRODUCER_SPOOL' })
}

function toSpoolError(cause: unknown, directory: string): SpoolError {
  return cause instanceof SpoolError
    ? cause
    : cannotOpen(directory, 'Check the directory, then start again.', cause)
}
