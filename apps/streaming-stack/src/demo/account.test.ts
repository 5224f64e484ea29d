import { describe, expect, it } from 'vitest'
import { type Evidence, position, settleAccount } from './account.js'
import type { LedgerEntry } from './ledger.js'

const SHARD = 'shardId-000000000000'

function entry(index: number, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    index,
    kind: 'good',
    decodable: true,
    eventId: `event-${index}`,
    userId: 'user_0001',
    partitionKey: 'user_0001',
    putAtMs: 1_000 + index,
    delivered: true,
    shardId: SHARD,
    sequenceNumber: String(index),
    ...more,
  }
}

/** Three good events and one broken one, all where they belong. */
function soundEvidence(): Evidence & { ledger: LedgerEntry[] } {
  const broken = entry(3, { kind: 'broken-json', decodable: false })
  return {
    ledger: [entry(0), entry(1), entry(2), broken],
    stored: new Map([0, 1, 2].map((index) => [`event-${index}`, 1])),
    firstWrites: new Map([0, 1, 2].map((index) => [`event-${index}`, { atMs: 1_100 + index, order: index }])),
    rejected: [{ position: position(SHARD, '3'), reasonCode: 'undecodable', payload: 'ew==' }],
    deadLettered: new Set(),
    lake: new Map([0, 1, 2].map((index) => [`event-${index}`, 1])),
    windowed: 3,
  }
}

describe('settleAccount', () => {
  it('balances when every event is where it belongs', () => {
    expect(settleAccount(soundEvidence())).toEqual({
      balanced: true,
      imbalances: [],
      produced: 4,
      stored: 3,
      rejected: 1,
      deadLettered: 0,
      delivered: 3,
      windowed: 3,
      undecodable: 1,
      lost: 0,
      duplicated: 0,
      lakeDuplicates: 0,
      outOfOrder: 0,
      failedPuts: 0,
      repeatedIds: 0,
      rejectedByReason: { undecodable: 1 },
      p50LatencyMs: 100,
      p99LatencyMs: 100,
    })
  })

  it('counts an id that is put twice as one event, and says so', () => {
    const evidence = soundEvidence()
    evidence.ledger.push(entry(4, { eventId: 'event-1' }))
    const lake = new Map(evidence.lake).set('event-1', 2)

    expect(settleAccount({ ...evidence, lake, windowed: 4 })).toMatchObject({
      balanced: true,
      produced: 4,
      repeatedIds: 1,
      lakeDuplicates: 1,
    })
  })

  it('expects valid events in the windows that are beyond what a table holds', () => {
    const evidence = soundEvidence()
    evidence.ledger.push(entry(4))
    const rejected = [
      ...evidence.rejected,
      { position: position(SHARD, '4'), reasonCode: 'unstorable', payload: 'e30=' },
    ]
    const lake = new Map(evidence.lake).set('event-4', 1)

    expect(settleAccount({ ...evidence, rejected, lake, windowed: 4 })).toMatchObject({ balanced: true })
    expect(settleAccount({ ...evidence, rejected, lake, windowed: 3 }).imbalances).toEqual([
      'windowed = 3, but valid events put = 4',
    ])
  })

  it('finds an event that is nowhere', () => {
    const account = settleAccount({
      ...soundEvidence(),
      stored: new Map([
        ['event-0', 1],
        ['event-2', 1],
      ]),
    })

    expect(account).toMatchObject({ balanced: false, lost: 1, stored: 2 })
    expect(account.imbalances).toContain('lost: 1 (expected 0)')
  })

  it('finds an event that the table holds twice', () => {
    const evidence = soundEvidence()

    expect(
      settleAccount({ ...evidence, stored: new Map([...evidence.stored, ['event-1', 2]]) }),
    ).toMatchObject({
      balanced: false,
      duplicated: 1,
    })
  })

  it('finds an event in the table that nobody put', () => {
    const evidence = soundEvidence()
    const account = settleAccount({ ...evidence, stored: new Map([...evidence.stored, ['stranger', 1]]) })

    expect(account.imbalances).toContain('produced = 4, but stored + rejected + deadLettered = 5')
  })

  it('finds an event that overtook an earlier one of its key', () => {
    const evidence = soundEvidence()
    const firstWrites = new Map([
      ['event-0', { atMs: 1_200, order: 5 }],
      ['event-1', { atMs: 1_100, order: 4 }],
      ['event-2', { atMs: 1_300, order: 6 }],
    ])

    expect(settleAccount({ ...evidence, firstWrites })).toMatchObject({ balanced: false, outOfOrder: 1 })
  })

  it('lets events of different keys overtake one another', () => {
    const evidence = soundEvidence()
    evidence.ledger[0] = entry(0, { partitionKey: 'user_0002' })
    const firstWrites = new Map([...evidence.firstWrites, ['event-0', { atMs: 9_000, order: 9 }]])

    expect(settleAccount({ ...evidence, firstWrites })).toMatchObject({ balanced: true, outOfOrder: 0 })
  })

  it('counts a repeat in the lake apart, without calling it an imbalance: delivery is at least once', () => {
    const evidence = soundEvidence()

    expect(settleAccount({ ...evidence, lake: new Map([...evidence.lake, ['event-1', 3]]) })).toMatchObject({
      balanced: true,
      delivered: 3,
      lakeDuplicates: 2,
    })
  })

  it('misses an event that never reached the lake', () => {
    const evidence = soundEvidence()
    const account = settleAccount({ ...evidence, lake: new Map([['event-0', 1]]) })

    expect(account.imbalances).toEqual(['delivered = 1, but produced - undecodable = 3'])
  })

  it('counts an event in the failure destination once, and as stored where it was stored after all', () => {
    const evidence = soundEvidence()
    const deadLettered = new Set([position(SHARD, '1'), position(SHARD, '2')])
    const stored = new Map([
      ['event-0', 1],
      ['event-1', 1],
    ])

    expect(settleAccount({ ...evidence, stored, deadLettered })).toMatchObject({
      balanced: true,
      produced: 4,
      stored: 2,
      deadLettered: 1,
    })
  })

  it('finds a bad record that was stored', () => {
    const evidence = soundEvidence()
    evidence.ledger[0] = entry(0, { kind: 'wrong-type' })

    expect(settleAccount(evidence).imbalances).toContain('bad records that were stored: 1 (expected 0)')
  })

  it('does not call a put that failed lost, but counts it where it turns up in the table', () => {
    const evidence = soundEvidence()
    evidence.ledger.push(entry(4, { delivered: false }))
    expect(settleAccount(evidence)).toMatchObject({ balanced: true, produced: 4, failedPuts: 1 })

    evidence.ledger[1] = entry(1, { delivered: false })
    expect(settleAccount(evidence)).toMatchObject({ balanced: true, produced: 4, failedPuts: 1 })
  })

  it('takes a record that the producer had to send twice for one', () => {
    const evidence = soundEvidence()
    const resent = { position: position(SHARD, '99'), reasonCode: 'undecodable', payload: 'ew==' }

    expect(settleAccount({ ...evidence, rejected: [...evidence.rejected, resent] })).toMatchObject({
      balanced: true,
      rejected: 1,
    })
  })

  it('says nothing of latencies where nothing was stored', () => {
    const nothing = settleAccount({
      ledger: [],
      stored: new Map(),
      firstWrites: new Map(),
      rejected: [],
      deadLettered: new Set(),
      lake: new Map(),
      windowed: 0,
    })

    expect(nothing).toMatchObject({ balanced: true, produced: 0, p50LatencyMs: null, p99LatencyMs: null })
  })
})
