import type { Clock } from '@org/kinesis-core'
import type { ManualClock } from '@org/kinesis-core/testing'
import type { RejectedRecord, RejectedSink } from './rejected-record.js'
import type { Sink, SinkRecord, SinkResult } from './sink.js'

const STORED: SinkResult = { stored: true }
const failed = (error: unknown): SinkResult => ({ stored: false, error })

/** Keeps what it is given, unless `fault` has an error for it. Behind a failure it stores nothing of the key, as a sink must not. */
export class MemorySink<T> implements Sink<T> {
  readonly stored: T[] = []
  /** The values of each write, in its order. */
  readonly writes: T[][] = []

  constructor(private readonly fault: (record: SinkRecord<T>) => unknown = () => undefined) {}

  async write(records: readonly SinkRecord<T>[]): Promise<SinkResult[]> {
    this.writes.push(records.map(({ value }) => value))
    const failedKeys = new Set<string>()
    return records.map((record) => {
      const { partitionKey } = record.position
      if (failedKeys.has(partitionKey)) return failed(new Error('behind a failure'))
      const error = this.fault(record)
      if (error === undefined) {
        this.stored.push(record.value)
        return STORED
      }
      failedKeys.add(partitionKey)
      return failed(error)
    })
  }
}

export class MemoryRejectedSink implements RejectedSink {
  readonly records: RejectedRecord[] = []

  constructor(private readonly fault: (record: RejectedRecord) => unknown = () => undefined) {}

  async write(records: readonly RejectedRecord[]): Promise<SinkResult[]> {
    return records.map((record) => {
      const error = this.fault(record)
      if (error !== undefined) return failed(error)
      this.records.push(record)
      return STORED
    })
  }
}

/** Runs work on a clock that jumps to whatever the work waits for. */
export async function runOn<R>(clock: ManualClock, work: Promise<R>): Promise<R> {
  let settled = false
  const done = work.finally(() => {
    settled = true
  })
  // A rejection is the caller's; here only the end matters.
  done.catch(() => {})
  while (!settled) await clock.advance(1)
  return done
}

/** A clock that jumps: whoever waits goes on at once, later by as much as was asked. */
export function instantClock(): Clock {
  let nowMs = Date.UTC(2026, 0, 1)
  return {
    now: () => nowMs,
    schedule(delayMs, callback) {
      let cancelled = false
      queueMicrotask(() => {
        if (cancelled) return
        nowMs += delayMs
        callback()
      })
      return () => {
        cancelled = true
      }
    },
  }
}
