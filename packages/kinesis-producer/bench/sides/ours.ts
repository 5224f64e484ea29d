import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, systemClock } from '@org/kinesis-core'
import { KinesisProducer, type KinesisProducerOptions } from '@org/kinesis-producer'
import { type Input, inputOf } from './events.ts'
import { CREDENTIALS, REGION, type Side, STREAM, type Target } from './side.ts'

/**
 * How many times as fast the producer's clock runs. Sixteen shards take 16,000 records a second, and the producer keeps to that; so that it
 * is measured at work and not at rest, all its machinery runs, and a second has this many.
 */
const CLOCK_SPEED = 64

type Data = Input['event'] | Buffer
type DataOf = (input: Input) => Data
type Options = Partial<KinesisProducerOptions>

/** Hands over without a promise for each record, and waits for room where there is none. */
export function enqueueSide(target: Target, dataOf: DataOf, options: Options): Side {
  const introduced = producerFor(target, options)
  const { producer } = introduced
  return {
    async put(records) {
      await introduce(introduced)
      for (let index = 0; index < records; index++) {
        const input = inputOf(index)
        const hasRoom = producer.enqueue({ partitionKey: input.partitionKey, data: dataOf(input) })
        if (!hasRoom) await producer.ready()
      }
      return settled(producer, records)
    },
  }
}

/** Awaits the receipt of every record, so many at a time. */
export function receiptSide(target: Target, dataOf: DataOf, awaitedAtOnce: number, options: Options): Side {
  const introduced = producerFor(target, options)
  const { producer } = introduced
  return {
    async put(records) {
      await introduce(introduced)
      let next = 0
      let received = 0
      const caller = async () => {
        while (next < records) {
          const input = inputOf(next++)
          const { sequenceNumber } = await producer.put({
            partitionKey: input.partitionKey,
            data: dataOf(input),
          })
          if (sequenceNumber !== '') received++
        }
      }
      await Promise.all(Array.from({ length: awaitedAtOnce }, caller))
      if (received !== records) throw new Error(`${received} receipts for ${records} records.`)
      return settled(producer, records)
    },
  }
}

/** Puts without looking at the promise, and waits for room now and then. */
export function ignoredPromiseSide(target: Target, dataOf: DataOf, options: Options): Side {
  const introduced = producerFor(target, options)
  const { producer } = introduced
  return {
    async put(records) {
      await introduce(introduced)
      for (let index = 0; index < records; index++) {
        const input = inputOf(index)
        void producer.put({ partitionKey: input.partitionKey, data: dataOf(input) })
        if (index % 1_000 === 999) await producer.ready()
      }
      return settled(producer, records)
    },
  }
}

let deliveredBefore = 0

/** Lets the producer get to know the stream at the pace of the world: on a fast clock its questions would time out. */
async function introduce({ producer, clock }: Introduced): Promise<void> {
  if (producer.stats().put > 0) return
  do {
    await producer.put({ partitionKey: 'first', data: 'first' })
    await sleep(300)
  } while (producer.stats().shards === 0)
  clock.hasten()
  deliveredBefore = producer.stats().delivered
}

async function settled(producer: KinesisProducer, records: number): Promise<number> {
  await producer.flush()
  const { delivered, failed, retried } = producer.stats()
  if (failed + retried > 0) throw new Error(`${failed} records failed, ${retried} attempts were repeated.`)
  const count = delivered - deliveredBefore
  deliveredBefore = delivered
  if (count !== records) throw new Error(`${count} of ${records} records were delivered.`)
  return count
}

interface Introduced {
  producer: KinesisProducer
  clock: HastyClock
}

function producerFor({ url }: Target, options: Options): Introduced {
  const clock = new HastyClock()
  const producer = new KinesisProducer({
    streamName: STREAM,
    endpoint: url,
    region: REGION,
    credentials: CREDENTIALS,
    clock,
    // In the clock's milliseconds, what the defaults are in ours.
    lingerMs: 20 * CLOCK_SPEED,
    requestTimeoutMs: 10_000 * CLOCK_SPEED,
    recordTtlMs: 120_000 * CLOCK_SPEED,
    ...options,
  })
  return { producer, clock }
}

/** A clock that runs as the system's, until it is hastened. */
class HastyClock implements Clock {
  #speed = 1
  #sinceMs = 0
  #fromMs = performance.timeOrigin

  now(): number {
    return this.#fromMs + (performance.now() - this.#sinceMs) * this.#speed
  }

  schedule(delayMs: number, callback: () => void): () => void {
    return systemClock.schedule(delayMs / this.#speed, callback)
  }

  hasten(): void {
    this.#fromMs = this.now()
    this.#sinceMs = performance.now()
    this.#speed = CLOCK_SPEED
  }
}
