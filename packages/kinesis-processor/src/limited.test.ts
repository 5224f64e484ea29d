import { InvalidOptionError } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext, ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { MemoryRejectedSink, MemorySink, runOn } from './handler-fixture.js'
import { kinesisHandler } from './kinesis-handler.js'
import { limited } from './limited.js'
import { text } from './plain-decoders.js'

const position = {} as never

describe('a limited step', () => {
  it('runs for so many records at once, in the order in which they came, and for all in the end', async () => {
    const clock = new ManualClock()
    const started: string[] = []
    let running = 0
    let most = 0
    const lookup = async (value: string) => {
      started.push(value)
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => clock.schedule(10, resolve))
      running--
      return value
    }
    const sink = new MemorySink<string>()
    const handler = kinesisHandler({
      decode: text(),
      steps: [limited(lookup, { maxConcurrency: 2 })],
      sink,
      rejected: new MemoryRejectedSink(),
      maxConcurrency: 10,
      clock,
    })
    const values = ['a', 'b', 'c', 'd', 'e']

    await runOn(
      clock,
      handler(kinesisEvent(values.map((data) => ({ partitionKey: data, data }))), lambdaContext({ clock })),
    )

    expect(most).toBe(2)
    expect(started).toEqual(values)
    expect(sink.stored).toEqual(values)
  })

  it('gives its place back when it fails, at once or later', async () => {
    let isBroken = true
    const step = limited(
      (value: string) => {
        if (value === 'sync' && isBroken) throw new Error('at once')
        return value === 'async' && isBroken ? Promise.reject(new Error('later')) : value
      },
      { maxConcurrency: 1 },
    )

    expect(() => step('sync', position)).toThrow('at once')
    const failing = step('async', position)
    const waiting = step('x', position)
    await expect(failing).rejects.toThrow('later')
    await expect(waiting).resolves.toBe('x')
    isBroken = false
    expect(step('sync', position)).toBe('sync')
  })

  it('refuses a limit that lets nobody through', () => {
    expect(() => limited((value: string) => value, { maxConcurrency: 0 })).toThrow(InvalidOptionError)
  })
})
