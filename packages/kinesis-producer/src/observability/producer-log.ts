import type { ProducerError } from '../producer-errors.js'
import type { AggregationUnavailableEvent } from '../producer-hooks.js'
import type { TransportFault } from '../put-records-transport.js'
import type { ShardMap } from '../shard-map.js'
import type { SpoolDamage } from '../spool/spool-damage.js'

/**
 * Where the producer logs to; `console` and most loggers that take a message and an object will do. Nothing of a record is ever logged: no
 * data, no keys.
 */
export interface ProducerLog {
  warn(message: string, details: Readonly<Record<string, unknown>>): void
  info?(message: string, details: Readonly<Record<string, unknown>>): void
  debug?(message: string, details: Readonly<Record<string, unknown>>): void
}

/** What goes on and on is told at most so often, with what it amounted to in between. */
const INTERVAL_MS = 10_000
/** Shards that a line names. */
const MAX_SHARDS_NAMED = 10

/** Says in the log what an operator wants to know, and no more often than that. */
export class OperatorLog {
  readonly #log: ProducerLog
  readonly #streamName: string
  #map: ShardMap | undefined
  readonly #throttled = new Recurring()
  readonly #failed = new Recurring()

  constructor(log: ProducerLog, streamName: string) {
    this.#log = log
    this.#streamName = streamName
  }

  pacingUnavailable(cause: Error): void {
    this.#say(
      'warn',
      'The shards cannot be listed: records are sent without pacing per shard until they can.',
      {
        cause,
      },
    )
  }

  aggregationUnavailable({ reason, cause }: AggregationUnavailableEvent): void {
    const message =
      reason === 'auto-distribution'
        ? 'The stream distributes records itself, and its consumers drop aggregates: records are sent one by one.'
        : 'It cannot be told whether the stream takes aggregates: records are sent one by one.'
    this.#say('warn', message, { reason, ...(cause === undefined ? {} : { cause }) })
  }

  useShardMap(map: ShardMap): void {
    const before = this.#map
    this.#map = map
    const shards = map.shardIds.length
    if (before === undefined) this.#say('debug', 'The shards of the stream are known.', { shards })
    else {
      const opened = map.shardIds.filter((shardId) => !before.has(shardId))
      const closed = before.shardIds.filter((shardId) => !map.has(shardId))
      this.#say('info', 'The stream was resharded.', {
        shards,
        opened: opened.length,
        closed: closed.length,
        openedShards: opened.slice(0, MAX_SHARDS_NAMED),
        closedShards: closed.slice(0, MAX_SHARDS_NAMED),
      })
    }
  }

  spoolDamaged({ segment, offset, bytes, reason, keptIn }: SpoolDamage): void {
    const details = { segment, offset, bytes, reason, ...(keptIn === undefined ? {} : { keptIn }) }
    this.#say('warn', 'The spool has bytes that are no records: the rest of it is sent.', details)
  }

  spoolFailed(cause: ProducerError): void {
    this.#say('warn', 'The spool takes no records any more: what was accepted is still sent.', { cause })
  }

  attemptFailed(records: number, fault: TransportFault, shardId: string | undefined): void {
    if (fault.kind === 'throttled') this.#throttled.note(records, shardId ?? 'unknown')
  }

  failed(records: number, error: ProducerError): void {
    this.#failed.note(records, error.code)
  }

  /** Says what is due: whoever counts calls it when a request, or a look at what has expired, is through. */
  report(nowMs: number, isLast = false): void {
    if (this.#throttled.isDue(nowMs, isLast)) {
      const { records, byName } = this.#throttled.take(nowMs)
      const shards = Object.fromEntries(Object.entries(byName).slice(0, MAX_SHARDS_NAMED))
      this.#say('warn', 'The stream throttles: records are sent again, and their shards are slowed down.', {
        throttledRecords: records,
        throttledShards: Object.keys(byName).length,
        shards,
      })
    }
    if (this.#failed.isDue(nowMs, isLast)) {
      const { records, byName } = this.#failed.take(nowMs)
      this.#say('warn', 'Records were given up.', { failedRecords: records, codes: byName })
    }
  }

  #say(level: 'warn' | 'info' | 'debug', message: string, details: Record<string, unknown>): void {
    try {
      this.#log[level]?.(message, { streamName: this.#streamName, ...details })
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), { code: 'KINESIS_PRODUCER_LOG' })
    }
  }
}

/** Counts of something that recurs, since it was last told. */
class Recurring {
  #records = 0
  #byName = new Map<string, number>()
  #toldAtMs = Number.NEGATIVE_INFINITY

  note(records: number, name: string): void {
    this.#records += records
    this.#byName.set(name, (this.#byName.get(name) ?? 0) + records)
  }

  isDue(nowMs: number, isLast: boolean): boolean {
    return this.#records > 0 && (isLast || nowMs >= this.#toldAtMs + INTERVAL_MS)
  }

  take(nowMs: number): { records: number; byName: Record<string, number> } {
    const told = { records: this.#records, byName: Object.fromEntries(this.#byName) }
    this.#records = 0
    this.#byName.clear()
    this.#toldAtMs = nowMs
    return told
  }
}
