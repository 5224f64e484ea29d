import { describe, expect, it } from 'vitest'
import { ShardLog } from './shard-log.js'

describe('the log of a shard', () => {
  it.each([
    [1, 500_000],
    [300, 50_000],
    [5_000, 5_000],
  ])('takes little more memory than its records of %i bytes have', (dataBytes, count) => {
    const before = process.memoryUsage().arrayBuffers
    const log = new ShardLog()
    const data = Buffer.alloc(dataBytes)
    for (let counter = 0; counter < count; counter++)
      log.append({ counter, partitionKey: 'a', keyBytes: 1, data, arrivalMs: counter })

    expect(log.heldBytes).toBe(count * (dataBytes + 1 + 48))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1.5 * log.heldBytes)
    expect(log.read(count - 1, 1, 1, 'bytes').records[0]!.counter).toBe(count - 1)
  })
})
