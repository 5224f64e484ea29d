import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Load, LoadResult } from './load.ts'
import { usageOf } from './process-usage.ts'
import { type Running, SHARDS, STREAM } from './sides.ts'

export interface Measured {
  recordsPerSecond: number
  /** Of the server's process, for a record; undefined where the system does not tell. */
  cpuMicrosPerRecord: number | undefined
  rssBytes: number | undefined
}

/** Client processes; the calls in flight are shared between them. */
const CLIENTS = 2

/** Lets the clients make `calls` calls in all, `SHARDS` in flight at a time. */
export async function measure({ url, pid }: Running, kind: Load['kind'], calls: number): Promise<Measured> {
  const shards = Array.from({ length: SHARDS }, (_, index) => `shardId-${String(index).padStart(12, '0')}`)
  const before = usageOf(pid)
  const results = await Promise.all(
    Array.from({ length: CLIENTS }, (_, client) =>
      load({
        url,
        stream: STREAM,
        kind,
        calls: Math.ceil(calls / CLIENTS),
        shards: shards.filter((_, index) => index % CLIENTS === client),
      }),
    ),
  )
  const after = usageOf(pid)
  const records = results.reduce((sum, result) => sum + result.records, 0)
  const startedAtMs = Math.min(...results.map((result) => result.startedAtMs))
  const endedAtMs = Math.max(...results.map((result) => result.endedAtMs))
  return {
    recordsPerSecond: (records * 1000) / (endedAtMs - startedAtMs),
    // The calls that warm up are in it; they are few of many, but for the slowest side.
    cpuMicrosPerRecord:
      before && after ? ((after.cpuSeconds - before.cpuSeconds) * 1e6) / records : undefined,
    rssBytes: after?.rssBytes,
  }
}

async function load(what: Load): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('./load.ts', import.meta.url)))
  const ended = once(child, 'exit').then(() => {
    throw new Error('A client ended before its calls.')
  })
  child.send(what)
  const [result] = (await Promise.race([once(child, 'message'), ended])) as [LoadResult]
  ended.catch(() => {})
  child.disconnect()
  return result
}
