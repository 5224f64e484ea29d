import { setTimeout as sleep } from 'node:timers/promises'
import { kinesisQuotas } from '@org/kinesis-core'
import type { Pressure, PressureTask } from './loads/pressure.ts'
import { distinctInputs } from './sides/events.ts'
import type { Sink, SinkReport } from './sink.ts'

export interface PressureOptions {
  processes: number
  aggregation: boolean
  shards: number
  /** Of the limit of all shards, by all processes together. */
  offeredShare: number
  warmUpMs: number
  durationMs: number
}

export interface PressureResult {
  /** Of each process. */
  shares: Pressure[]
  /** Of the limit of all shards, after the warm-up. */
  used: number
  /** Requests with at least one throttled entry, of all, after the warm-up. */
  throttledRequestShare: number
  throttledEntryShare: number
}

/** Lets processes put into one stream that has the limits of its shards, on true time. */
export async function runPressure(sink: Sink, options: PressureOptions): Promise<PressureResult> {
  const { processes, aggregation, shards, offeredShare, warmUpMs, durationMs } = options
  await sink.tell({ reset: { shards, serviceMs: 0, limits: true } })
  const task: PressureTask = {
    load: 'pressure',
    aggregation,
    shards,
    perSecond: (recordsPerSecond(options) * offeredShare) / processes,
    warmUpMs,
    durationMs,
  }
  const running = Array.from({ length: processes }, () =>
    sink.start(new URL('./loads/run.ts', import.meta.url), task),
  )
  await Promise.all(running.map((process) => process.answer()))
  for (const process of running) process.proceed()
  await sleep(warmUpMs)
  const before = await sink.tell('report')
  await sleep(durationMs)
  const after = await sink.tell('report')
  const shares = await Promise.all(running.map((process) => process.answer<Pressure>()))
  await Promise.all(running.map((process) => process.ended))
  const requests = after.requests - before.requests
  const entries = after.entries - before.entries
  const throttledEntries = after.throttledEntries - before.throttledEntries
  return {
    shares,
    used: usedShare(before, after, shards),
    throttledRequestShare: (after.throttledRequests - before.throttledRequests) / requests,
    throttledEntryShare: throttledEntries / (entries + throttledEntries),
  }
}

const { shardWriteRecordsPerSecond, shardWriteBytesPerSecond } = kinesisQuotas

/** As many as the shards take: alone, their number is the limit, and aggregated, their bytes. */
function recordsPerSecond({ aggregation, shards }: PressureOptions): number {
  if (!aggregation) return shards * shardWriteRecordsPerSecond
  const { partitionKey, bytes } = distinctInputs()[0]!
  return (shards * shardWriteBytesPerSecond) / (bytes.length + partitionKey.length + AGGREGATED_BYTES)
}

/** What a member costs beside its data and key, about: the names and lengths of its fields, and its part of the list of keys. */
const AGGREGATED_BYTES = 10

/** Of records or of bytes, whichever is nearer to its limit. */
function usedShare(before: SinkReport, after: SinkReport, shards: number): number {
  const seconds = (after.atMs - before.atMs) / 1_000
  return Math.max(
    (after.entries - before.entries) / (seconds * shards * shardWriteRecordsPerSecond),
    (after.bytes - before.bytes) / (seconds * shards * shardWriteBytesPerSecond),
  )
}
