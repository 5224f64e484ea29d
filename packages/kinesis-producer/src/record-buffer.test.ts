import { describe, expect, it } from 'vitest'
import { PendingRecord, RECORD_OVERHEAD_BYTES } from './pending-record.js'
import { RecordBuffer } from './record-buffer.js'

const aRecord = (sizeBytes: number, partitionKey = 'k') =>
  new PendingRecord(
    { partitionKey, explicitHashKey: undefined, data: new Uint8Array(), sizeBytes },
    0,
    1_000,
    () => {},
    () => {},
  )

const aBuffer = (records: number, whenFull: 'wait' | 'reject' = 'wait') =>
  new RecordBuffer({
    maxBufferedBytes: records * (100 + RECORD_OVERHEAD_BYTES),
    maxRecordBytes: 100,
    whenFull,
  })

describe('a buffer', () => {
  it('counts bytes and bookkeeping, and is as empty as before when records have left', () => {
    const buffer = aBuffer(2)
    const record = aRecord(100)

    buffer.enter(record)
    expect(buffer.bytes).toBe(100 + RECORD_OVERHEAD_BYTES)
    record.place = 'lane'
    buffer.leave(record)
    expect(buffer.bytes).toBe(0)
  })

  it('lets nobody overtake those who wait, also where there is room for less', () => {
    const buffer = aBuffer(1)
    const first = aRecord(50)
    buffer.enter(first)
    first.place = 'lane'
    const large = aRecord(100)
    expect(buffer.check(large)).toBe('wait')
    buffer.wait(large)

    buffer.leave(first)
    expect(buffer.check(aRecord(1))).toBe('wait')
    expect(buffer.nextAdmitted()).toBe(large)
    expect(buffer.nextAdmitted()).toBeUndefined()
  })

  it('finds those of a key among those who wait', () => {
    const buffer = aBuffer(1)
    const waiting = ['a', 'b', 'a'].map((key) => aRecord(1, key))
    for (const record of waiting) buffer.wait(record)

    expect(buffer.waitingOf('a')).toEqual([waiting[0], waiting[2]])
  })

  it('announces room when the largest record would fit, or half of it is free', async () => {
    const buffer = aBuffer(3)
    const records = [aRecord(100), aRecord(100), aRecord(100)]
    for (const record of records) {
      buffer.enter(record)
      record.place = 'lane'
    }
    let announced = false
    void buffer.whenRoom().then(() => {
      announced = true
    })
    buffer.announceRoom()
    await Promise.resolve()
    expect(announced).toBe(false)

    buffer.leave(records[0]!)
    buffer.announceRoom()
    await Promise.resolve()
    expect(announced).toBe(true)
  })
})
