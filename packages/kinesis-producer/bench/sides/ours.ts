import { KinesisProducer, type KinesisProducerOptions } from '@org/kinesis-producer'
import { acquaint } from './acquaintance.ts'
import { type Input, inputOf } from './events.ts'
import { fastOptions } from './fast-options.ts'
import { GearedClock } from './geared-clock.ts'
import type { Side, Target } from './side.ts'

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

interface Introduced {
  producer: KinesisProducer
  clock: GearedClock
}

function producerFor(target: Target, options: Options): Introduced {
  const clock = new GearedClock()
  return { producer: new KinesisProducer(fastOptions(target, options, clock)), clock }
}

/** Lets the producer get to know the stream at the pace of the world: on a fast clock its questions would time out. */
async function introduce({ producer, clock }: Introduced): Promise<void> {
  if (producer.stats().put > 0) return
  await acquaint(producer)
  await producer.flush()
  clock.speedUp()
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
