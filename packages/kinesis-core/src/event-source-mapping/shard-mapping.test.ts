import { describe, expect, it } from 'vitest'
import type { DiscardEffect, MappingEffect } from './mapping-effects.js'
import {
  aMapping,
  aRecord,
  failure,
  invocations,
  invoked,
  records,
  reporting,
  runToEnd,
  START_MS,
  sequences,
  success,
} from './mapping-fixture.js'
import type { ShardRecord } from './shard-record.js'

const checkpoints = (effects: MappingEffect<ShardRecord>[]) =>
  effects
    .filter((effect) => effect.kind === 'checkpoint')
    .map((effect) => Number(effect.sequenceNumber) - 1_000)

const discards = (effects: MappingEffect<ShardRecord>[]) =>
  effects.filter((effect): effect is DiscardEffect<ShardRecord> => effect.kind === 'discard')

describe('batches', () => {
  it('are cut at the batch size, one at a time', () => {
    const mapping = aMapping({ batchSize: 3 })

    const first = mapping.offer(records(7), START_MS)
    expect(invoked(first)).toEqual([[0, 1, 2]])

    const second = mapping.settle(invocations(first)[0]!.id, success, START_MS)
    expect(invoked(second)).toEqual([[3, 4, 5]])
    expect(checkpoints(second)).toEqual([2])
  })

  it('are cut before their payload passes 6 MB', () => {
    const mapping = aMapping({ batchSize: 100 })

    const effects = mapping.offer(records(5, { payloadBytes: 2 * 1024 * 1024 }), START_MS)

    expect(invoked(effects)).toEqual([[0, 1]])
  })

  it('hold a record that is too large for any batch alone', () => {
    const mapping = aMapping({ batchSize: 100 })
    const large = { payloadBytes: 8 * 1024 * 1024 }

    const effects = runToEnd(
      mapping,
      mapping.offer([aRecord(0), aRecord(1, large), aRecord(2)], START_MS),
      () => success,
    )

    expect(invoked(effects)).toEqual([[0], [1], [2]])
  })

  it('wait for the batching window to fill, and go when it is over', () => {
    const mapping = aMapping({ batchSize: 10, maximumBatchingWindowMs: 5_000 })

    const first = mapping.offer(records(2), START_MS)
    expect(first).toEqual([{ kind: 'wake', atMs: START_MS + 5_000 }])
    const second = mapping.offer([aRecord(2)], START_MS + 1_000)
    expect(second).toEqual([{ kind: 'wake', atMs: START_MS + 5_000 }])

    expect(invoked(mapping.tick(START_MS + 5_000))).toEqual([[0, 1, 2]])
  })

  it('do not wait once they are full, or once no more records can come', () => {
    const full = aMapping({ batchSize: 2, maximumBatchingWindowMs: 5_000 })
    expect(invoked(full.offer(records(2), START_MS))).toEqual([[0, 1]])

    const ended = aMapping({ batchSize: 2, maximumBatchingWindowMs: 5_000 })
    ended.offer(records(1), START_MS)
    expect(invoked(ended.end(START_MS))).toEqual([[0]])
  })
})

describe('an attempt that never reached the function', () => {
  const throttled = { ok: false as const, invoked: false }

  it('takes no retry of its batch, splits nothing, and waits longer each time', () => {
    const mapping = aMapping(
      {
        maximumRetryAttempts: 0,
        bisectBatchOnFunctionError: true,
        retryBackoff: { baseMs: 100, maxMs: 1_000 },
      },
      () => 0.999_999,
    )
    let effects = mapping.offer(records(2), START_MS)
    const waits: number[] = []
    for (let now = START_MS, attempt = 0; attempt < 3; attempt += 1) {
      const [wake] = mapping.settle(invocations(effects)[0]!.id, throttled, now)
      if (wake?.kind !== 'wake') throw new Error('no wait')
      waits.push(wake.atMs - now)
      now = wake.atMs
      effects = mapping.tick(now)
      expect(invoked(effects)).toEqual([[0, 1]])
    }
    expect(waits).toEqual([99, 199, 399])

    const failed = mapping.settle(invocations(effects)[0]!.id, failure, START_MS + 1_000)
    expect(invoked(runToEnd(mapping, failed, () => success, START_MS + 1_000))).toEqual([[0], [1]])
  })

  it('is not among the invocations that the failure destination is told of', () => {
    const mapping = aMapping({ maximumRecordAgeMs: 1_000 })
    const [invoke] = invocations(mapping.offer(records(1), START_MS))

    const [discard] = discards(mapping.settle(invoke!.id, throttled, START_MS + 1_001))

    expect(discard).toMatchObject({ condition: 'RecordAgeExceeded', invocations: 0, functionError: false })
  })
})

describe('a record that is too large for any invocation', () => {
  const large = { payloadBytes: 8 * 1024 * 1024 }
  const refused = (effect: { batch: { records: readonly ShardRecord[] } }) =>
    effect.batch.records[0]!.payloadBytes > 6 * 1024 * 1024 ? { ok: false as const, invoked: false } : success
  const offered = [aRecord(0), aRecord(1, large), aRecord(2)]
  const discardedRecords = (effects: MappingEffect<ShardRecord>[]) =>
    discards(effects).map(({ batch, invocations: times }) => [sequences(batch.records), times])

  it('is tried as often as any batch, and then given up', () => {
    const mapping = aMapping({ maximumRetryAttempts: 2 })

    const effects = runToEnd(mapping, mapping.offer(offered, START_MS), refused)

    expect(invoked(effects)).toEqual([[0], [1], [1], [1], [2]])
    expect(discardedRecords(effects)).toEqual([[[1], 3]])
  })

  it('is held until its age gives it up, where oversizedRecords says hold', () => {
    const mapping = aMapping({
      maximumRetryAttempts: 2,
      maximumRecordAgeMs: 60_000,
      oversizedRecords: 'hold',
      retryBackoff: { baseMs: 1_000, maxMs: 10_000 },
    })

    const effects = runToEnd(mapping, mapping.offer([aRecord(0), aRecord(1, large)], START_MS), refused)

    expect(invoked(effects).length).toBeGreaterThan(5)
    expect(discards(effects)).toMatchObject([{ condition: 'RecordAgeExceeded', invocations: 0 }])
  })

  it('is given up without an attempt, where oversizedRecords says discard', () => {
    const mapping = aMapping({ oversizedRecords: 'discard' })

    const effects = runToEnd(mapping, mapping.offer(offered, START_MS), refused)

    expect(invoked(effects)).toEqual([[0], [2]])
    expect(discardedRecords(effects)).toEqual([[[1], 0]])
    expect(mapping.checkpoint).toBe('1002')
  })
})

describe('records that expire from the stream', () => {
  const MINUTE = 60_000
  const offered = [aRecord(0), aRecord(1), aRecord(2, { arrivalMs: START_MS + MINUTE })]

  it('are tried until then, and no more', () => {
    const mapping = aMapping({ retryBackoff: { baseMs: 0, maxMs: 0 } })
    const [first] = invocations(mapping.offer(offered, START_MS))
    mapping.retainedFor(MINUTE, START_MS)

    const second = mapping.settle(first!.id, failure, START_MS + MINUTE)
    expect(invoked(second)).toEqual([[0, 1, 2]])
    const third = mapping.settle(invocations(second)[0]!.id, failure, START_MS + MINUTE + 1)

    expect(checkpoints(third)).toEqual([1])
    expect(invoked(third)).toEqual([[2]])
    expect(mapping.expiredRecords).toBe(2)
    expect(mapping.unresolvedRecords).toBe(1)
  })

  it('are not tried at all where they expired while they waited', () => {
    const mapping = aMapping({ batchSize: 1 })
    const [first] = invocations(mapping.offer(offered, START_MS))
    mapping.retainedFor(MINUTE, START_MS)

    expect(invoked(mapping.settle(first!.id, success, START_MS + MINUTE + 1))).toEqual([[2]])
    expect(mapping.expiredRecords).toBe(1)
  })

  it('go to the failure destination where expiredRecords says discard', () => {
    const mapping = aMapping({ expiredRecords: 'discard' })
    const [first] = invocations(mapping.offer(offered, START_MS))
    mapping.retainedFor(MINUTE, START_MS)

    const [discard] = discards(mapping.settle(first!.id, failure, START_MS + MINUTE + 1))

    expect(sequences(discard!.batch.records)).toEqual([0, 1])
    expect(discard).toMatchObject({ condition: 'RecordAgeExceeded', invocations: 1 })
    expect(mapping.expiredRecords).toBe(0)
  })
})

describe('filters', () => {
  const filters = [{ data: { wanted: [true] } }]
  const wanted = { data: Buffer.from('{"wanted":true}') }
  const unwanted = { data: Buffer.from('{"wanted":false}') }

  it('keep records out of batches, and let the checkpoint pass over them', () => {
    const mapping = aMapping({ batchSize: 2, filters })

    const effects = mapping.offer(
      [
        aRecord(0, unwanted),
        aRecord(1, wanted),
        aRecord(2, unwanted),
        aRecord(3, wanted),
        aRecord(4, unwanted),
      ],
      START_MS,
    )

    expect(invoked(effects)).toEqual([[1, 3]])
    expect(checkpoints(effects)).toEqual([0])
    expect(mapping.unresolvedRecords).toBe(2)
    expect(mapping.filteredRecords).toBe(3)
    expect(mapping.oldestUnresolved).toMatchObject({ sequenceNumber: '1001' })
    expect(checkpoints(mapping.settle(invocations(effects)[0]!.id, success, START_MS))).toEqual([4])
    expect(mapping.oldestUnresolved).toBeUndefined()
  })

  it('never let the checkpoint pass a record that is unresolved, however many they keep out behind it', () => {
    const mapping = aMapping({ batchSize: 1, filters })
    const [stuck] = invocations(mapping.offer([aRecord(0, wanted)], START_MS))

    for (let index = 1; index <= 1_000; index += 1) {
      expect(checkpoints(mapping.offer([aRecord(index, unwanted)], START_MS))).toEqual([])
    }

    expect(checkpoints(mapping.settle(stuck!.id, success, START_MS))).toEqual([1_000])
  })

  it('let no record wait for a batching window that they keep out', () => {
    const mapping = aMapping({ batchSize: 10, maximumBatchingWindowMs: 5_000, filters })

    expect(mapping.offer([aRecord(0, unwanted)], START_MS)).toEqual([
      { kind: 'checkpoint', sequenceNumber: '1000' },
    ])
    expect(mapping.offer([aRecord(1, wanted)], START_MS + 2_000)).toEqual([
      { kind: 'wake', atMs: START_MS + 7_000 },
    ])
  })

  it('tell a window by the records that they keep out that its time is over', () => {
    const mapping = aMapping({ tumblingWindowMs: 60_000, filters })
    const [opened] = invocations(mapping.offer([aRecord(0, wanted)], START_MS))
    mapping.settle(opened!.id, { ok: true, payload: { state: { n: 1 } } }, START_MS)

    expect(mapping.offer([aRecord(1, { ...unwanted, arrivalMs: START_MS + 59_999 })], START_MS)).toEqual([
      { kind: 'checkpoint', sequenceNumber: '1001' },
    ])
    const late = mapping.offer([aRecord(2, { ...unwanted, arrivalMs: START_MS + 60_000 })], START_MS)

    expect(invocations(late)[0]!.batch).toMatchObject({
      records: [],
      window: { startMs: START_MS, isFinalInvokeForWindow: true, state: { n: 1 } },
    })
  })

  it('pass no record that comes without its data', () => {
    const mapping = aMapping({ filters })

    expect(invoked(mapping.offer(records(2), START_MS))).toEqual([])
    expect(mapping.checkpoint).toBe('1001')
  })
})

describe('parallel batches of one shard', () => {
  const keys = Array.from({ length: 40 }, (_, index) => aRecord(index, { partitionKey: `key-${index % 10}` }))

  it('keep the records of a partition key in one lane', () => {
    const mapping = aMapping({ batchSize: 2, parallelizationFactor: 4 })

    const effects = runToEnd(mapping, mapping.offer(keys, START_MS), () => success)

    const lanesOf = new Map<string, Set<number>>()
    for (const { batch, lane } of invocations(effects)) {
      for (const { partitionKey } of batch.records) {
        lanesOf.set(partitionKey, (lanesOf.get(partitionKey) ?? new Set()).add(lane))
      }
    }
    expect(lanesOf.size).toBe(10)
    expect([...lanesOf.values()].every((lanes) => lanes.size === 1)).toBe(true)
    expect(new Set(invocations(effects).map((effect) => effect.lane)).size).toBe(4)
  })

  it('move the checkpoint only over records that are resolved without a gap', () => {
    const mapping = aMapping({ batchSize: 100, parallelizationFactor: 2 })
    const effects = invocations(mapping.offer(keys, START_MS))
    const [withFirst, other] = effects[0]!.batch.records.includes(keys[0]!) ? effects : [...effects].reverse()

    expect(checkpoints(mapping.settle(other!.id, success, START_MS))).toEqual([])
    expect(mapping.checkpoint).toBeUndefined()
    expect(checkpoints(mapping.settle(withFirst!.id, success, START_MS))).toEqual([39])
  })
})

describe('a failed invocation', () => {
  it('is repeated with the whole batch, after a wait that grows', () => {
    const mapping = aMapping({ batchSize: 2, retryBackoff: { baseMs: 100, maxMs: 300 } }, () => 0.999_999)
    let effects = mapping.offer(records(3), START_MS)
    const waits: number[] = []
    let now = START_MS

    for (let attempt = 0; attempt < 4; attempt += 1) {
      const [wake] = mapping.settle(invocations(effects)[0]!.id, failure, now)
      expect(wake).toMatchObject({ kind: 'wake' })
      if (wake?.kind !== 'wake') return
      waits.push(wake.atMs - now)
      expect(invoked(mapping.tick(wake.atMs - 1))).toEqual([])
      now = wake.atMs
      effects = mapping.tick(now)
      expect(invoked(effects)).toEqual([[0, 1]])
    }

    expect(waits).toEqual([99, 199, 299, 299])
    expect(invocations(effects)[0]!.attempt).toBe(5)
    expect(invoked(mapping.settle(invocations(effects)[0]!.id, success, now))).toEqual([[2]])
  })

  it('waits no longer than a first one after a response that made progress', () => {
    const mapping = aMapping(
      { reportBatchItemFailures: true, retryBackoff: { baseMs: 100, maxMs: 10_000 } },
      () => 0.999_999,
    )
    let effects = mapping.offer(records(2), START_MS)
    for (const now of [START_MS, START_MS + 1_000, START_MS + 2_000]) {
      mapping.settle(invocations(effects)[0]!.id, failure, now)
      effects = mapping.tick(now + 1_000)
    }

    const now = START_MS + 3_000
    expect(mapping.settle(invocations(effects)[0]!.id, reporting(1), now)).toContainEqual({
      kind: 'wake',
      atMs: now + 99,
    })
  })

  it('wakes the host for the lane that is due first', () => {
    let draw = 0
    // The first lane to fail waits longer than the second.
    const mapping = aMapping(
      { parallelizationFactor: 2, retryBackoff: { baseMs: 1_000, maxMs: 1_000 } },
      () => [0.9, 0.2][draw++]!,
    )
    const keys = Array.from({ length: 20 }, (_, index) => aRecord(index, { partitionKey: `key-${index}` }))
    const [first, second] = invocations(mapping.offer(keys, START_MS))
    mapping.settle(second!.id, failure, START_MS)

    const effects = mapping.settle(first!.id, failure, START_MS)

    expect(effects).toEqual([{ kind: 'wake', atMs: START_MS + 200 }])
    const earlier = mapping.tick(START_MS + 200)
    expect(invocations(earlier).map((effect) => effect.lane)).toEqual([first!.lane])
    expect(earlier).toContainEqual({ kind: 'wake', atMs: START_MS + 900 })
  })

  it('is given up after the retries, its batch discarded, and the next one begun once that is durable', () => {
    const mapping = aMapping({ batchSize: 2, maximumRetryAttempts: 2 })
    let effects = mapping.offer(records(4), START_MS)
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(invoked(effects)).toEqual([[0, 1]])
      effects = mapping.settle(invocations(effects)[0]!.id, failure, START_MS)
    }
    expect(effects).toMatchObject([
      { kind: 'discard', condition: 'RetryAttemptsExhausted', invocations: 3, functionError: true },
    ])
    expect(mapping.checkpoint).toBeUndefined()

    const after = mapping.discarded(discards(effects)[0]!.id, START_MS)

    expect(checkpoints(after)).toEqual([1])
    expect(invoked(after)).toEqual([[2, 3]])
  })

  it('is not repeated at all with no retries', () => {
    const mapping = aMapping({ maximumRetryAttempts: 0 })

    const effects = runToEnd(mapping, mapping.offer(records(2), START_MS), () => failure)

    expect(invoked(effects)).toEqual([[0, 1]])
    expect(discards(effects)).toHaveLength(1)
  })

  it('of a bisecting mapping is halved down to the bad record, which alone uses the retries up', () => {
    const mapping = aMapping({ maximumRetryAttempts: 1, bisectBatchOnFunctionError: true })

    const effects = runToEnd(mapping, mapping.offer(records(8), START_MS), ({ batch }) =>
      sequences(batch.records).includes(5) ? failure : success,
    )

    expect(invoked(effects)).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [4, 5],
      [4],
      [5],
      [5],
      [6, 7],
    ])
    expect(discards(effects).map((discard) => sequences(discard.batch.records))).toEqual([[5]])
    expect(checkpoints(effects).at(-1)).toBe(7)
  })
})

describe('records that are too old', () => {
  it('are discarded before their first invocation, the younger ones of the batch are not', () => {
    const mapping = aMapping({ maximumRecordAgeMs: 60_000 })
    const offered = [
      aRecord(0, { arrivalMs: START_MS - 60_001 }),
      aRecord(1, { arrivalMs: START_MS - 60_000 }),
    ]

    const first = mapping.offer(offered, START_MS)
    expect(first).toMatchObject([
      { kind: 'discard', condition: 'RecordAgeExceeded', invocations: 0, functionError: false },
    ])

    const second = mapping.discarded(discards(first)[0]!.id, START_MS)
    expect(checkpoints(second)).toEqual([0])
    expect(invoked(second)).toEqual([[1]])
  })

  it('are discarded between attempts, however many retries are left', () => {
    const mapping = aMapping({ maximumRecordAgeMs: 60_000 })
    const first = mapping.offer(records(2), START_MS)

    const second = mapping.settle(invocations(first)[0]!.id, failure, START_MS + 60_001)

    expect(second).toMatchObject([{ kind: 'discard', condition: 'RecordAgeExceeded', invocations: 1 }])
  })
})

describe('a response with batch item failures', () => {
  const report = { reportBatchItemFailures: true, batchSize: 10 }

  it('is ignored unless the mapping asks for it', () => {
    const mapping = aMapping({ batchSize: 10 })

    const effects = runToEnd(mapping, mapping.offer(records(3), START_MS), () => reporting(1))

    expect(invoked(effects)).toEqual([[0, 1, 2]])
  })

  it('is a checkpoint: all from the lowest reported record on is repeated, whatever else succeeded', () => {
    const mapping = aMapping(report)
    const first = mapping.offer(records(5), START_MS)

    const second = mapping.settle(invocations(first)[0]!.id, reporting(4, 2, 3), START_MS)

    expect(checkpoints(second)).toEqual([1])
    expect(invoked(second)).toEqual([[2, 3, 4]])
  })

  it.each([
    ['null', null],
    ['an empty object', {}],
    ['a null list', { batchItemFailures: null }],
    ['an empty list', { batchItemFailures: [] }],
  ])('is full success when it is %s', (_, payload) => {
    const mapping = aMapping(report)
    const [invoke] = invocations(mapping.offer(records(2), START_MS))

    expect(checkpoints(mapping.settle(invoke!.id, { ok: true, payload }, START_MS))).toEqual([1])
  })

  it.each([
    ['an empty identifier', [{ itemIdentifier: '' }]],
    ['a null identifier', [{ itemIdentifier: null }]],
    ['another key', [{ itemIdentifer: '1001' }]],
    ['an identifier of no record', [{ itemIdentifier: '1001' }, { itemIdentifier: '77' }]],
    ['no list', 'all'],
  ])('fails the whole batch when it has %s', (_, batchItemFailures) => {
    const mapping = aMapping(report)
    const [invoke] = invocations(mapping.offer(records(2), START_MS))

    const effects = mapping.settle(invoke!.id, { ok: true, payload: { batchItemFailures } }, START_MS)

    expect(checkpoints(effects)).toEqual([])
    expect(invoked(effects)).toEqual([[0, 1]])
  })

  it.each([
    ['does not bisect', {}],
    ['is told so', { bisectBatchOnFunctionError: true, bisectWithoutProgress: false }],
  ])(
    'that makes no progress takes a retry, and good followers into the discard, where the mapping %s',
    (_, settings) => {
      const mapping = aMapping({ ...report, maximumRetryAttempts: 2, ...settings })

      const effects = runToEnd(mapping, mapping.offer(records(3), START_MS), () => reporting(0))

      expect(invoked(effects)).toEqual([
        [0, 1, 2],
        [0, 1, 2],
        [0, 1, 2],
      ])
      expect(discards(effects)).toMatchObject([{ invocations: 3, functionError: false }])
      expect(sequences(discards(effects)[0]!.batch.records)).toEqual([0, 1, 2])
    },
  )

  it('that makes no progress halves the batch where the mapping bisects, down to the bad record', () => {
    const mapping = aMapping({ ...report, maximumRetryAttempts: 1, bisectBatchOnFunctionError: true })

    const effects = runToEnd(mapping, mapping.offer(records(4), START_MS), ({ batch }) =>
      sequences(batch.records).includes(0) ? reporting(0) : success,
    )

    expect(invoked(effects)).toEqual([[0, 1, 2, 3], [0, 1], [0], [0], [1], [2, 3]])
    expect(discards(effects)).toMatchObject([{ invocations: 4, functionError: false }])
    expect(sequences(discards(effects)[0]!.batch.records)).toEqual([0])
  })

  it('starts the count of attempts anew when it makes progress', () => {
    const mapping = aMapping({ ...report, maximumRetryAttempts: 1 })

    const effects = runToEnd(mapping, mapping.offer(records(3), START_MS), ({ batch }) => {
      const [first, second] = sequences(batch.records)
      return second === undefined ? reporting(first!) : reporting(second)
    })

    expect(invoked(effects)).toEqual([[0, 1, 2], [1, 2], [2], [2]])
    expect(sequences(discards(effects)[0]!.batch.records)).toEqual([2])
  })

  it('does not where `partialProgressResetsRetries` is off', () => {
    const mapping = aMapping({ ...report, maximumRetryAttempts: 1, partialProgressResetsRetries: false })

    const effects = runToEnd(mapping, mapping.offer(records(4), START_MS), ({ batch }) =>
      reporting(sequences(batch.records)[1]!),
    )

    expect(invoked(effects)).toEqual([
      [0, 1, 2, 3],
      [1, 2, 3],
    ])
    expect(sequences(discards(effects)[0]!.batch.records)).toEqual([2, 3])
  })

  it('splits at the reported record when the mapping bisects, and that uses no retry', () => {
    const mapping = aMapping({
      ...report,
      maximumRetryAttempts: 0,
      partialProgressResetsRetries: false,
      bisectBatchOnFunctionError: true,
    })

    const effects = runToEnd(mapping, mapping.offer(records(4), START_MS), ({ batch }) =>
      batch.records.length === 4 ? reporting(2) : success,
    )

    expect(invoked(effects)).toEqual([
      [0, 1, 2, 3],
      [2, 3],
    ])
    expect(discards(effects)).toEqual([])
  })
})

describe('the end of a shard', () => {
  it('is reached when all records are resolved', () => {
    const mapping = aMapping()
    const [invoke] = invocations(mapping.offer(records(1), START_MS))
    mapping.end(START_MS)
    expect(mapping.isFinished).toBe(false)

    mapping.settle(invoke!.id, success, START_MS)

    expect(mapping.isFinished).toBe(true)
    expect(mapping.unresolvedRecords).toBe(0)
    expect(mapping.unresolvedBytes).toBe(0)
  })

  it('is not reached before it is said', () => {
    const mapping = aMapping()

    runToEnd(mapping, mapping.offer(records(1), START_MS), () => success)

    expect(mapping.isFinished).toBe(false)
  })

  it('refuses a result for what is not under way', () => {
    expect(() => aMapping().settle(7, success, START_MS)).toThrow(RangeError)
  })
})
