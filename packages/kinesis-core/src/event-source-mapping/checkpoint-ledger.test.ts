import { describe, expect, it } from 'vitest'
import { CheckpointLedger } from './checkpoint-ledger.js'
import { aRecord, records, START_MS } from './mapping-fixture.js'

describe('a checkpoint ledger', () => {
  it('moves the checkpoint to the last record before the first that is not resolved', () => {
    const ledger = new CheckpointLedger()
    const [first, second, third] = records(3).map((record) => ledger.track(record, START_MS))

    expect(ledger.resolve([second!])).toBeUndefined()
    expect(ledger.resolve([first!])).toBe('1001')
    expect(ledger.oldest).toBe(third!.record)
    expect(ledger.resolve([third!])).toBe('1002')
    expect(ledger.checkpoint).toBe('1002')
    expect(ledger.oldest).toBeUndefined()
  })

  it('moves over records that pass, once what is before them is resolved', () => {
    const ledger = new CheckpointLedger()
    ledger.pass(aRecord(0))
    expect(ledger.advance()).toBe('1000')
    const tracked = ledger.track(aRecord(1), START_MS)

    ledger.pass(aRecord(2))
    ledger.pass(aRecord(3))
    expect(ledger.advance()).toBeUndefined()
    expect(ledger.checkpoint).toBe('1000')
    expect(ledger.oldest).toBe(tracked.record)

    expect(ledger.resolve([tracked])).toBe('1003')
  })

  it('passes a sequence number that several records share when all of them are resolved', () => {
    const ledger = new CheckpointLedger()
    const before = ledger.track(aRecord(0), START_MS)
    const members = [aRecord(1), aRecord(1)].map((record) => ledger.track(record, START_MS))
    ledger.pass(aRecord(1))

    expect(ledger.resolve([before, members[0]!])).toBe('1000')
    expect(ledger.resolve([members[1]!])).toBe('1001')
  })

  it('says what it holds, those included that wait resolved behind one that is not', () => {
    const ledger = new CheckpointLedger()
    const [first, second] = records(2).map((record) => ledger.track(record, START_MS))
    ledger.pass(aRecord(2))

    ledger.resolve([second!])
    expect([ledger.heldBytes, ledger.unresolvedBytes]).toEqual([200, 100])
    ledger.resolve([first!])
    expect([ledger.heldBytes, ledger.unresolvedBytes]).toEqual([0, 0])
  })

  it('counts what is unresolved, and a record that is resolved twice once', () => {
    const ledger = new CheckpointLedger()
    ledger.track(aRecord(0), START_MS)
    const second = ledger.track(aRecord(1), START_MS)

    ledger.resolve([second])
    ledger.resolve([second])

    expect(ledger.unresolved).toBe(1)
    expect(ledger.unresolvedBytes).toBe(100)
  })
})
