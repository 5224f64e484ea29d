import { setImmediate as turn } from 'node:timers/promises'
import { KinesisProducer } from '@org/kinesis-producer'
import { peakRss } from '../peak-rss.ts'
import { acquaint } from '../sides/acquaintance.ts'
import { inputOf } from '../sides/events.ts'
import { fastOptions } from '../sides/fast-options.ts'
import { GearedClock } from '../sides/geared-clock.ts'
import type { Bench } from './run.ts'

export interface BoundedTask {
  load: 'bounded'
  records: number
  aggregation: boolean
  receipts: boolean
  maxBufferedBytes: number
}

export interface Bounded {
  peakGrowthBytes: number
  /** Before the first answer. */
  peakGrowthBytesWhenFull: number
}

/** Puts as fast as there is room, of which there is none any more when the bench says that it releases the answers. */
export async function bounded(task: BoundedTask, bench: Bench): Promise<Bounded> {
  const { records, aggregation, receipts, maxBufferedBytes } = task
  const clock = new GearedClock()
  const producer = new KinesisProducer(fastOptions(bench, { aggregation, maxBufferedBytes }, clock))
  await acquaint(producer)
  clock.speedUp()
  const rss = peakRss()
  const full = maxBufferedBytes * 0.98
  let bufferedBytes = 0
  let peakGrowthBytesWhenFull = 0
  void bench.proceed().then(() => {
    bufferedBytes = producer.stats().bufferedBytes
    peakGrowthBytesWhenFull = rss.peakGrowth()
  })
  bench.say({ begun: true })
  let received = 0
  const receive = () => {
    received++
  }
  for (let index = 0; index < records; index++) {
    const { partitionKey, bytes: data } = inputOf(index)
    if (receipts) void producer.put({ partitionKey, data }).then(receive)
    else producer.enqueue({ partitionKey, data })
    // Whoever heeds `ready()` never fills the buffer: this caller does.
    if (index % 100 === 99) while (producer.stats().bufferedBytes > full) await turn()
  }
  await producer.flush()
  const { delivered } = producer.stats()
  if (delivered !== records + 1) throw new Error(`${delivered} of ${records + 1} records were delivered.`)
  if (receipts && received !== records) throw new Error(`${received} receipts for ${records} records.`)
  if (bufferedBytes < maxBufferedBytes * 0.9) throw new Error(`Only ${bufferedBytes} bytes were buffered.`)
  return { peakGrowthBytes: rss.peakGrowth(), peakGrowthBytesWhenFull }
}
