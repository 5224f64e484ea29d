import { describe, expect, it } from 'vitest'
import { functionSink } from './function-sink.js'
import type { SinkRecord } from './sink.js'

const record = (partitionKey: string, value: number): SinkRecord<number> => ({
  value,
  position: {
    streamArn: '',
    streamName: '',
    shardId: '',
    sequenceNumber: String(value),
    subSequenceNumber: 0,
    partitionKey,
    arrivalMs: 0,
  },
})
const time = { remainingMs: () => 1_000 }

describe('a function sink', () => {
  it('writes keys side by side, up to its concurrency, and those of one key one by one', async () => {
    let running = 0
    let most = 0
    const written: number[] = []
    const sink = functionSink<number>(
      async (value) => {
        most = Math.max(most, ++running)
        // Later records are quicker: only waiting for the earlier keeps them in order.
        for (let turn = value; turn < 10; turn++) await null
        running--
        written.push(value)
      },
      { maxConcurrency: 2 },
    )

    const results = await sink.write(
      [record('a', 1), record('b', 2), record('c', 3), record('a', 4), record('a', 5)],
      time,
    )

    expect(results).toEqual(Array(5).fill({ stored: true }))
    expect(most).toBe(2)
    expect(written.filter((value) => [1, 4, 5].includes(value))).toEqual([1, 4, 5])
  })

  it('writes nothing of a key behind a failure, and goes on with the others', async () => {
    const written: number[] = []
    const boom = new Error('no')
    const sink = functionSink<number>((value) => {
      if (value === 1) throw boom
      written.push(value)
    })

    const results = await sink.write([record('a', 1), record('a', 2), record('b', 3)], time)

    expect(written).toEqual([3])
    expect(results).toEqual([
      { stored: false, error: boom },
      { stored: false, error: expect.objectContaining({ cause: boom }) },
      { stored: true },
    ])
  })

  it('begins nothing when the time is over', async () => {
    let left = 2
    const written: number[] = []
    const sink = functionSink<number>((value) => written.push(value), { maxConcurrency: 1 })

    const results = await sink.write([record('a', 1), record('a', 2), record('b', 3)], {
      remainingMs: () => left--,
    })

    expect(written).toEqual([1, 2])
    expect(results.map(({ stored }) => stored)).toEqual([true, true, false])
  })
})
