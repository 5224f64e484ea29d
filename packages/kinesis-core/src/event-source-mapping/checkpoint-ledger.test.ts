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
