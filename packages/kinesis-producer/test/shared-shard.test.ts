import { seededRandom } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { expect, it } from 'vitest'
import { KinesisProducer } from '../src/index.js'
import { ScriptedTransport, throttledEntry } from './scripted-transport.js'

it.each([5, 40])(
  'two producers at 150 % of a shard, %i ms away, use it and share it',
  async (roundTripMs) => {
    const clock = new ManualClock()
    let tokens = 1_000
    let refilledAtMs = clock.now()
    const producers = [1, 2].map((seed) => {
      const random = seededRandom(seed)
      const transport = new ScriptedTransport({
        script: ({ entries, store }) =>
          new Promise((resolve) => {
            clock.schedule(roundTripMs * (0.5 + random()), () => {
              tokens = Math.min(1_000, tokens + (clock.now() - refilledAtMs))
              refilledAtMs = clock.now()
              resolve(
                entries.map((entry) => {
                  if (tokens < 1) return throttledEntry
                  tokens--
                  return store(entry)
                }),
              )
            })
          }),
      })
      return new KinesisProducer({ streamName: 'orders', transport, clock, random, maxBufferedBytes: 1e9 })
    })
    const offer = async (seconds: number) => {
      for (let turn = 0; turn < seconds * 20; turn++) {
        for (const producer of producers) {
          for (let count = 0; count < 37.5; count++)
            void producer.put({ partitionKey: `${count}`, data: 'x' })
        }
        await clock.advance(50)
      }
      return producers.map((producer) => producer.stats())
    }

    const before = await offer(20)
    const after = await offer(30)

    const rates = after.map((stats, index) => (stats.delivered - before[index]!.delivered) / 30)
    expect(rates[0]! + rates[1]!).toBeGreaterThan(950)
    expect(Math.max(...rates) / Math.min(...rates)).toBeLessThan(1.2)
    const throttled = after.map((stats, index) => stats.throttled - before[index]!.throttled)
    expect((throttled[0]! + throttled[1]!) / 30).toBeLessThan(0.05 * 1_000)
  },
)
