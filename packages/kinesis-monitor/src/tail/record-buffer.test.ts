import { describe, expect, it } from 'vitest'
import { RecordBuffer } from './record-buffer.js'
import type { TailRecord } from './tail-record.js'

function aRecord(sequence: number): TailRecord {
  return {
    shardId: 'shardId-000000000000',
    sequenceNumber: String(sequence),
    subSequenceNumber: undefined,
    partitionKey: 'key',
    explicitHashKey: undefined,
    data: new Uint8Array(1_000),
    arrivalMs: 0,
    corrupt: undefined,
  }
}

describe('RecordBuffer', () => {
  it('gives records in the order in which they came, also over many of them', () => {
    const buffer = new RecordBuffer()
    const taken: number[] = []
    for (let sequence = 0; sequence < 5_000; sequence++) {
      buffer.push(aRecord(sequence))
      if (sequence % 3 > 0) taken.push(Number(buffer.shift()?.sequenceNumber))
    }
    for (let record = buffer.shift(); record !== undefined; record = buffer.shift()) {
      taken.push(Number(record.sequenceNumber))
    }

    expect(taken).toEqual(Array.from({ length: 5_000 }, (_, index) => index))
    expect(buffer.bytes).toBe(0)
  })

  it('weighs what waits', () => {
    const buffer = new RecordBuffer()
    buffer.push(aRecord(1))
    expect(buffer.bytes).toBeGreaterThanOrEqual(1_000)

    buffer.clear()

    expect(buffer.bytes).toBe(0)
    expect(buffer.shift()).toBeUndefined()
  })
})
