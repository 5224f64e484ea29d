import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PutRecordsAnswerReader } from './put-records-answer.js'
import type { PutRecordsEntryResult } from './put-records-transport.js'

const reader = new PutRecordsAnswerReader()

const read = (text: string) => reader.read(Buffer.from(text)).map(plain)

/** The results are asked for what they say, however they keep it. */
const plain = ({ shardId, sequenceNumber, errorCode, errorMessage }: PutRecordsEntryResult) => ({
  shardId,
  sequenceNumber,
  errorCode,
  errorMessage,
})

/** What a JSON parser makes of it. */
function expected(text: string) {
  const json: unknown = JSON.parse(text)
  const records = (json as { Records?: unknown } | null)?.Records
  if (!Array.isArray(records)) return []
  const string = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return records.map((record) => ({
    shardId: string(record?.ShardId),
    sequenceNumber: string(record?.SequenceNumber),
    errorCode: string(record?.ErrorCode),
    errorMessage: string(record?.ErrorMessage),
  }))
}

const digits = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length })
    .map((all) => all.join(''))

const stored = fc.record({
  SequenceNumber: digits(56),
  ShardId: fc.oneof(
    fc.nat(3_000).map((number) => `shardId-${String(number).padStart(12, '0')}`),
    fc.string({ minLength: 1, maxLength: 25 }),
  ),
})
const failed = fc.record({
  ErrorCode: fc.constantFrom('ProvisionedThroughputExceededException', 'InternalFailure'),
  ErrorMessage: fc.oneof(
    fc.constant('Rate exceeded for shard shardId-000000000001.'),
    fc.string(),
    fc.string({ unit: 'binary' }),
  ),
})
const strange = fc.oneof(
  fc.constant(null),
  fc.constant({}),
  fc.record({ ShardId: fc.constantFrom(1, null, 'shardId-00000000000x', ''), SequenceNumber: fc.string() }),
  fc.record({ SequenceNumber: fc.string(), ErrorMessage: fc.string(), Other: fc.anything() }),
)
const anAnswer = fc.record(
  {
    FailedRecordCount: fc.oneof(fc.nat(500), fc.constant(null)),
    Records: fc.array(
      fc.oneof(
        { weight: 6, arbitrary: stored },
        { weight: 3, arbitrary: failed },
        { weight: 1, arbitrary: strange },
      ),
      {
        maxLength: 20,
      },
    ),
    EncryptionType: fc.constantFrom('KMS', 'NONE'),
  },
  { requiredKeys: ['Records'] },
)

describe('an answer of PutRecords', () => {
  it('is read as a JSON parser reads it', () => {
    fc.assert(
      fc.property(anAnswer, fc.constantFrom(undefined, 1), (answer, indent) => {
        const text = JSON.stringify(answer, undefined, indent)
        expect(read(text)).toEqual(expected(text))
      }),
      { numRuns: 2_000 },
    )
  })

  it('with some bytes changed is read as a JSON parser reads it, or refused as it refuses it', () => {
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      drop: fc.nat(3),
      put: fc.string({ maxLength: 3 }),
    })
    fc.assert(
      fc.property(anAnswer, fc.array(change, { minLength: 1, maxLength: 3 }), (answer, changes) => {
        let text = JSON.stringify(answer)
        for (const { at, drop, put } of changes) {
          const index = Math.floor(at * text.length)
          text = text.slice(0, index) + put + text.slice(index + drop)
        }
        let parsed: ReturnType<typeof expected> | undefined
        try {
          parsed = expected(text)
        } catch {
          expect(() => read(text)).toThrow(SyntaxError)
          return
        }
        expect(read(text)).toEqual(parsed)
      }),
      { numRuns: 5_000 },
    )
  })

  it('cut short anywhere is refused', () => {
    const text = JSON.stringify({
      FailedRecordCount: 1,
      Records: [
        { SequenceNumber: '1'.repeat(56), ShardId: 'shardId-000000000000' },
        { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure.' },
      ],
    })
    for (let length = 1; length < text.length; length++) {
      expect(() => read(text.slice(0, length))).toThrow(SyntaxError)
    }
  })

  it.each(['', '{}', '[]', 'null', '"Records"', '{"Records":null}', '{"Records":{"0":{}}}'])(
    'that is %j has no results, which is a fault for whoever counts them',
    (text) => {
      expect(read(text)).toEqual([])
    },
  )

  it('keeps no bytes of the answer in what it says of shards and sequence numbers', () => {
    const answer = Buffer.from(
      JSON.stringify({
        FailedRecordCount: 0,
        Records: [{ SequenceNumber: '7'.repeat(56), ShardId: 'shardId-000000000007' }],
      }),
    )
    const [result] = reader.read(answer)
    const { shardId, sequenceNumber } = result!
    answer.fill(0)

    expect({ shardId, sequenceNumber }).toEqual({
      shardId: 'shardId-000000000007',
      sequenceNumber: '7'.repeat(56),
    })
  })
})
