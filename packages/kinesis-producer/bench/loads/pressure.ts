import { setTimeout as sleep } from 'node:timers/promises'
import { KinesisProducer } from '@org/kinesis-producer'
import { acquaint } from '../sides/acquaintance.ts'
import { connectionOptions } from '../sides/fast-options.ts'
import { evenInputs } from './even-inputs.ts'
import { openLoop } from './open-loop.ts'
import type { Bench } from './run.ts'

export interface PressureTask {
  load: 'pressure'
  aggregation: boolean
  shards: number
  perSecond: number
  /** Not measured: shards that rested take a second's worth at once, and a pace is to be found. */
  warmUpMs: number
  durationMs: number
}

export interface Pressure {
  /** Within `durationMs`. */
  delivered: number
  throttled: number
}

/** Puts at a steady rate, evenly to all shards, and waits where the buffer is full. Says when it begins. */
export async function pressure(task: PressureTask, bench: Bench): Promise<Pressure> {
  const { aggregation, shards, perSecond, warmUpMs, durationMs } = task
  const producer = new KinesisProducer({ ...connectionOptions(bench), aggregation })
  await acquaint(producer)
  bench.say({ ready: true })
  await bench.proceed()
  const inputOf = evenInputs(shards)
  const measured = sleep(warmUpMs).then(async () => {
    const before = producer.stats()
    await sleep(durationMs)
    const after = producer.stats()
    return { delivered: after.delivered - before.delivered, throttled: after.throttled - before.throttled }
  })
  await openLoop(perSecond, warmUpMs + durationMs, (index) => {
    const { partitionKey, bytes: data } = inputOf(index)
    return producer.enqueue({ partitionKey, data }) ? undefined : producer.ready()
  })
  const { failed } = producer.stats()
  if (failed > 0) throw new Error(`${failed} records failed.`)
  return measured
}
