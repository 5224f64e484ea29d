import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Random, seededRandom, sleep, systemClock, systemRandom } from '@org/kinesis-core'
import { KinesisProducer, type ProducerError } from '@org/kinesis-producer'
import { generateBadEvent } from './bad-event.js'
import { type ConnectionOptions, checkStream, connectionOptions } from './connection.js'
import type {
  GeneratorMode,
  GeneratorOptions,
  GeneratorProgress,
  GeneratorSummary,
} from './generator-options.js'
import { Ledger } from './ledger.js'
import { type OutgoingEvent, partitionKeyOf } from './outgoing-event.js'
import { dueEvents, totalEvents } from './pacing.js'
import { ReadAhead } from './read-ahead.js'
import { readEvents } from './replay/read-events.js'
import type { ReplayedEvent } from './replay/replayed-event.js'
import { generateUserEvent, toSortableInstant } from './user-event/user-event.js'

/** How long what was put may take to settle at the end. */
const DRAIN_DEADLINE_MS = 60_000
const TICK_MS = 10
/** What Node's timers hold; beyond it they fire at once. */
const MAX_TIMER_MS = 2_147_483_647

export interface RunningGenerator {
  readonly progress: GeneratorProgress
  readonly done: Promise<GeneratorSummary>
}

/**
 * Checks the stream, then generates until the mode's end or until `stop` aborts, then drains. Rejects where nothing could be put; a replay that
 * fails on its way drains too, and its summary says why it ended.
 */
export function runGenerator(options: GeneratorOptions, stop: AbortSignal): RunningGenerator {
  const run = new GeneratorRun(options, stop)
  return { progress: run.progress, done: run.run() }
}

class GeneratorRun {
  readonly progress: GeneratorProgress = {
    produced: 0,
    acknowledged: 0,
    failed: 0,
    behind: 0,
    skippedLines: 0,
  }
  readonly #random: Random
  readonly #connection: ConnectionOptions
  #producer!: KinesisProducer
  #ledger: Ledger | undefined
  #readAhead!: ReadAhead
  readonly #warnings: string[] = []
  #firstError: string | undefined

  constructor(
    private readonly options: GeneratorOptions,
    private readonly stop: AbortSignal,
  ) {
    this.#random = options.seed === undefined ? systemRandom : seededRandom(options.seed)
    this.#connection = connectionOptions(options.endpointUrl, options.region, process.env)
  }

  async run(): Promise<GeneratorSummary> {
    const { streamName, ordering, ledgerFile, mode } = this.options
    this.#readAhead = new ReadAhead(await checkStream(streamName, this.#connection))
    this.#ledger = ledgerFile === undefined ? undefined : new Ledger(ledgerFile)
    this.#producer = new KinesisProducer({
      streamName,
      ordering,
      ...this.#connection,
    } as ConstructorParameters<typeof KinesisProducer>[0])
    const startedAtMs = performance.now()
    let failure: Error | undefined
    try {
      await this.#generate(mode)
    } catch (error) {
      failure = error as Error
    } finally {
      await this.#producer.close({ deadlineMs: DRAIN_DEADLINE_MS })
      await this.#ledger?.close()
    }
    const durationMs = performance.now() - startedAtMs
    return {
      ...this.progress,
      behind: 0,
      warnings: this.#warnings,
      durationMs,
      eventsPerSecond: (this.progress.acknowledged * 1000) / durationMs,
      firstError: this.#firstError,
      failure: failure?.message,
    }
  }

  async #generate(mode: GeneratorMode): Promise<void> {
    switch (mode.name) {
      case 'single':
        return this.#put(this.#makeEvent())
      case 'burst':
        if (mode.durationSeconds !== undefined)
          return this.#atRate(mode.events / mode.durationSeconds, mode.events)
        for (let count = 0; count < mode.events && !this.stop.aborted; count++)
          await this.#put(this.#makeEvent())
        return
      case 'continuous': {
        const { perSecond, durationSeconds } = mode
        const total =
          durationSeconds === 0 ? Number.POSITIVE_INFINITY : totalEvents(perSecond, durationSeconds)
        return this.#atRate(perSecond, total)
      }
      case 'replay':
        return this.#replay(mode)
    }
  }

  /** Events are put when they are due, not when the ones before are answered. */
  async #atRate(perSecond: number, total: number): Promise<void> {
    const startedAtMs = performance.now()
    for (let put = 0; put < total && !this.stop.aborted; ) {
      const due = dueEvents(startedAtMs, performance.now(), perSecond, total)
      for (; put < due && !this.stop.aborted; put++) {
        await this.#put(this.#makeEvent())
        // Of what is due by now: a put may have waited long for its room.
        this.progress.behind = dueEvents(startedAtMs, performance.now(), perSecond, total) - put - 1
      }
      if (put < total) await sleep(systemClock, TICK_MS, this.stop)
    }
  }

  async #replay(mode: Extract<GeneratorMode, { name: 'replay' }>): Promise<void> {
    // Before it is opened: whoever reads hears of its errors, and nobody does so yet.
    const fileBytes = await regularFileBytes(mode.file)
    const file = mode.file === '-' ? undefined : createReadStream(mode.file)
    const input = file ?? process.stdin
    const { format, map, durationSeconds } = mode
    const source = mode.file === '-' ? 'stdin' : basename(mode.file)
    const pace = mode.speed === 'max' ? undefined : new RecordedPace(mode.speed)
    const onBadLine = (error: Error) => {
      if (mode.onBadLine === 'fail') throw error
      this.progress.skippedLines += 1
    }
    const onWarning = (message: string) => this.#warnings.push(message)
    const stop = durationSeconds === undefined ? this.stop : stopAfter(durationSeconds, this.stop)
    const onStop = () => {
      // A reader that waits for standard input would not see that it was stopped.
      input.destroy()
      this.#readAhead.release()
    }
    stop.addEventListener('abort', onStop, { once: true })
    try {
      for await (const event of readEvents(input, { format, map, source, onBadLine, onWarning })) {
        await pace?.wait(event.timestamp, stop)
        // Bad records come beside the replayed ones, not in their place: every line still arrives.
        while (this.#random() < this.options.badFraction && !stop.aborted)
          await this.#putAhead(generateBadEvent(this.#random, Date.now()), stop)
        await this.#putAhead(replayed(event), stop)
        if (file !== undefined && fileBytes !== undefined)
          this.progress.readShare = file.bytesRead / fileBytes
        if (stop.aborted) return
      }
    } catch (error) {
      if (!stop.aborted) throw error
    } finally {
      input.destroy()
    }
  }

  /** As far ahead of the stream as is quickly drained; not at all once it is stopped. */
  async #putAhead(event: OutgoingEvent, stop: AbortSignal): Promise<void> {
    await this.#readAhead.room()
    if (!stop.aborted) await this.#put(event)
  }

  #makeEvent(): OutgoingEvent {
    const nowMs = Date.now()
    if (this.#random() < this.options.badFraction) return generateBadEvent(this.#random, nowMs)
    const event = generateUserEvent(this.#random, nowMs)
    return {
      kind: 'good',
      decodable: true,
      eventId: event.event_id,
      userId: event.user_id,
      sessionId: event.metadata.session_id,
      data: Buffer.from(JSON.stringify(event)),
    }
  }

  /** Resolves when the producer has taken the event over; what becomes of it is told to the ledger later. */
  async #put(event: OutgoingEvent): Promise<void> {
    await this.#producer.ready()
    const partitionKey = partitionKeyOf(event, this.options.partitionKey)
    const settled = {
      index: this.progress.produced,
      event,
      partitionKey,
      putAtMs: performance.timeOrigin + performance.now(),
    }
    this.progress.produced += 1
    this.#readAhead.put(event.data.length)
    this.#producer.put({ partitionKey, data: event.data }).then(
      ({ shardId, sequenceNumber }) => {
        this.#readAhead.settled(event.data.length)
        this.progress.acknowledged += 1
        this.#ledger?.delivered(settled, shardId, sequenceNumber)
      },
      (error: ProducerError) => {
        this.#readAhead.settled(event.data.length)
        this.progress.failed += 1
        this.#firstError ??= error.message
        this.#ledger?.failed(settled, error.code)
      },
    )
  }
}

/** Undefined for pipes, whose end nobody knows, and for empty files. */
async function regularFileBytes(file: string): Promise<number | undefined> {
  if (file === '-') return undefined
  const stats = await stat(file)
  return stats.isFile() && stats.size > 0 ? stats.size : undefined
}

function stopAfter(seconds: number, stop: AbortSignal): AbortSignal {
  return AbortSignal.any([stop, AbortSignal.timeout(Math.min(seconds * 1000, MAX_TIMER_MS))])
}

/** Waits so that events come as far apart as they were recorded, or a multiple faster. */
class RecordedPace {
  #first: { recordedMs: number; atMs: number } | undefined

  constructor(private readonly speed: number) {}

  async wait(timestamp: string | undefined, stop: AbortSignal): Promise<void> {
    const instant = timestamp === undefined ? undefined : toSortableInstant(timestamp)
    if (instant === undefined) return
    const recordedMs = Date.parse(instant)
    this.#first ??= { recordedMs, atMs: performance.now() }
    const dueMs = this.#first.atMs + (recordedMs - this.#first.recordedMs) / this.speed
    const delayMs = dueMs - performance.now()
    if (delayMs > 1) await sleep(systemClock, Math.min(delayMs, MAX_TIMER_MS), stop)
  }
}

function replayed(event: ReplayedEvent): OutgoingEvent {
  const sessionId = event.metadata.session_id
  return {
    kind: 'good',
    decodable: true,
    eventId: event.event_id,
    userId: event.user_id ?? '',
    sessionId: typeof sessionId === 'string' ? sessionId : undefined,
    data: Buffer.from(JSON.stringify(event)),
  }
}
