import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { KinesisProducer, type Receipt } from '@org/kinesis-producer'
import { peakRss } from '../peak-rss.ts'
import { acquaint } from '../sides/acquaintance.ts'
import { inputOf } from '../sides/events.ts'
import { fastOptions } from '../sides/fast-options.ts'
import { GearedClock } from '../sides/geared-clock.ts'
import type { Bench } from './run.ts'

export interface BacklogTask {
  load: 'backlog'
  records: number
  /** A promise for each record, which the caller keeps. */
  receipts: boolean
}

export interface Backlog {
  peakGrowthBytes: number
  /** Once all records are in and nothing happens any more. */
  growthBytes: number
}

/** Puts everything at once, aggregated, while the sink holds its answers; says what that took, and waits until all are delivered. */
export async function backlog({ records, receipts }: BacklogTask, bench: Bench): Promise<object> {
  const minutesMs = 10 * 60_000
  const options = { aggregation: true, maxBufferedBytes: 2 ** 32, requestTimeoutMs: 64 * minutesMs }
  const clock = new GearedClock()
  const producer = new KinesisProducer(fastOptions(bench, options, clock))
  await acquaint(producer)
  clock.speedUp()
  const promises = new Array<Promise<Receipt> | undefined>(receipts ? records : 0).fill(undefined)
  const rss = peakRss()
  for (let index = 0; index < records; index++) {
    const { partitionKey, bytes: data } = inputOf(index)
    if (receipts) promises[index] = producer.put({ partitionKey, data })
    else producer.enqueue({ partitionKey, data })
    // A caller of so many records lets other work go on, too: requests leave meanwhile.
    if (index % 1_000 === 999) await turn()
  }
  await sleep(500)
  const { pending } = producer.stats()
  if (pending !== records + 1)
    throw new Error(`The sink was to hold its answers, and ${pending} are pending.`)
  bench.say({ peakGrowthBytes: rss.peakGrowth(), growthBytes: rss.growth() } satisfies Backlog)
  await bench.proceed()
  await Promise.all(promises)
  await producer.flush()
  const { delivered } = producer.stats()
  if (delivered !== records + 1) throw new Error(`${delivered} of ${records + 1} records were delivered.`)
  return {}
}
