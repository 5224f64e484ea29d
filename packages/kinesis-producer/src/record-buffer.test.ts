import { describe, expect, it } from 'vitest'
import { aCheckedRecord, anEntry } from '../test/entry-fixture.js'
import { ENTRY_OVERHEAD_BYTES } from './pending-entry.js'
import { QueueFullError } from './producer-errors.js'
import { RecordBuffer } from './record-buffer.js'

const aBuffer = (records: number, isAhead = () => false) =>
  new RecordBuffer({ maxBufferedBytes: records * (100 + ENTRY_OVERHEAD_BYTES), maxRecordBytes: 100 }, isAhead)
const aRecord = (bytes: number) => aCheckedRecord({ data: 'x'.repeat(bytes - 1) })

describe('a buffer', () => {
  it('counts bytes and bookkeeping, and is as empty as before when records have left', () => {
    const buffer = aBuffer(2)
    const record = anEntry(100)

    buffer.charge(record)
    expect(buffer.bytes).toBe(100 + ENTRY_OVERHEAD_BYTES)
    record.place = 'lane'
    buffer.leave(record)
    expect(buffer.bytes).toBe(0)
  })

  it('counts text by the bytes that it takes as UTF-8', () => {
    const buffer = aBuffer(2)
    buffer.charge(anEntry(100))

    expect(buffer.check(aCheckedRecord({ data: 'é'.repeat(49) }), true)).toBe('enter')
    expect(buffer.check(aCheckedRecord({ data: 'é'.repeat(50) }), true)).toBe('wait')
  })

  it('lets nobody overtake those who wait, also where there is room for less', () => {
    const buffer = aBuffer(1)
    const first = anEntry(50)
    buffer.charge(first)
    first.place = 'lane'
    const large = anEntry(100)
    expect(buffer.check(aRecord(100), true)).toBe('wait')
    buffer.wait(large)

    buffer.leave(first)
    expect(buffer.check(aRecord(1), true)).toBe('wait')
    expect(() => buffer.check(aRecord(1), false)).toThrow(QueueFullError)
    expect(buffer.nextAdmitted()).toBe(large)
    expect(buffer.nextAdmitted()).toBeUndefined()
  })

  it('finds those of a key among those who wait', () => {
    const buffer = aBuffer(1)
    const waiting = ['a', 'b', 'a'].map((key) => anEntry(1, { partitionKey: key }))
    for (const record of waiting) buffer.wait(record)

    expect(buffer.waitingOf('a')).toEqual([waiting[0], waiting[2]])
  })

  it('announces room when the largest record would fit, or half of it is free', async () => {
    const buffer = aBuffer(3)
    const records = [anEntry(100), anEntry(100), anEntry(100)]
    for (const record of records) {
      buffer.charge(record)
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

  it('has no room for callers that can wait while enough waits to be sent, and takes what comes all the same', async () => {
    let isAhead = true
    const buffer = aBuffer(3, () => isAhead)
    let announced = false
    void buffer.whenRoom().then(() => {
      announced = true
    })
    buffer.announceRoom()
    await Promise.resolve()
    expect(announced).toBe(false)
    expect(buffer.hasRoomFor(aRecord(100))).toBe(true)

    isAhead = false
    buffer.announceRoom()
    await Promise.resolve()
    expect(announced).toBe(true)
  })
})
