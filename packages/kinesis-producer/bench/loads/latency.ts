import { KinesisProducer } from '@org/kinesis-producer'
import { acquaint } from '../sides/acquaintance.ts'
import { inputOf } from '../sides/events.ts'
import { connectionOptions } from '../sides/fast-options.ts'
import { openLoop } from './open-loop.ts'
import type { Bench } from './run.ts'

export interface LatencyTask {
  load: 'latency'
  aggregation: boolean
  lingerMs: number
  perSecond: number
  /** Before anything is measured, at the same rate. */
  warmUpMs: number
  rounds: number
  /** Of each round. */
  durationMs: number
}

/** From `put` to the receipt. */
export interface Latency {
  records: number
  p50Ms: number
  p99Ms: number
  maxMs: number
  /** How late the load itself came at worst: on a machine that is busy with other things, this says so. */
  lateMs: number
  cpuShare: number
}

/** Puts at a steady rate, whatever the producer does, and looks at the clock when each receipt comes. */
export async function latency(task: LatencyTask, bench: Bench): Promise<Latency[]> {
  const { aggregation, lingerMs, perSecond, warmUpMs, durationMs } = task
  const producer = new KinesisProducer({ ...connectionOptions(bench), aggregation, lingerMs })
  await acquaint(producer)
  let measuredMs: number[] = []
  const failures: unknown[] = []
  const putTimed = (index: number) => {
    const { partitionKey, bytes: data } = inputOf(index)
    const atMs = performance.now()
    producer.put({ partitionKey, data }).then(
      () => measuredMs.push(performance.now() - atMs),
      (error) => failures.push(error),
    )
    return undefined
  }
  await openLoop(perSecond, warmUpMs, putTimed)
  await producer.flush()
  const rounds: Latency[] = []
  for (let round = 0; round < task.rounds; round++) {
    measuredMs = []
    const cpu = process.cpuUsage()
    const lateMs = await openLoop(perSecond, durationMs, putTimed)
    const { user, system } = process.cpuUsage(cpu)
    await producer.flush()
    rounds.push({ ...percentilesOf(measuredMs), lateMs, cpuShare: (user + system) / 1_000 / durationMs })
  }
  const { retried } = producer.stats()
  if (failures.length > 0) throw failures[0]
  if (retried > 0) throw new Error(`${retried} attempts were repeated.`)
  return rounds
}

function percentilesOf(measuredMs: readonly number[]) {
  const sorted = Float64Array.from(measuredMs).sort()
  const percentile = (share: number) => sorted[Math.ceil(sorted.length * share) - 1]!
  return { records: sorted.length, p50Ms: percentile(0.5), p99Ms: percentile(0.99), maxMs: percentile(1) }
}
