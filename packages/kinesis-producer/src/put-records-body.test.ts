import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxPutRecordsBodyBytes, writePutRecordsBody } from './put-records-body.js'
import type { OutgoingEntry, StreamIdentity } from './put-records-transport.js'

/** What was written, with a guard behind the room that was promised. */
function bodyOf(stream: StreamIdentity, entries: readonly OutgoingEntry[]): string {
  const room = maxPutRecordsBodyBytes(stream, entries)
  const target = Buffer.alloc(room + 16, 0xaa)
  const body = target.toString('utf8', 0, writePutRecordsBody(target, stream, entries))
  expect(target.subarray(room).every((byte) => byte === 0xaa)).toBe(true)
  return body
}

const json = (stream: object, entries: readonly OutgoingEntry[]) =>
  JSON.stringify({
    ...stream,
    Records: entries.map(({ data, partitionKey, explicitHashKey }) => ({
      Data: Buffer.from(data).toString('base64'),
      PartitionKey: partitionKey,
      ExplicitHashKey: explicitHashKey,
    })),
  })

const entry = (data: Uint8Array, partitionKey = 'key', explicitHashKey?: string): OutgoingEntry => ({
  data,
  dataBytes: data.byteLength,
  partitionKey,
  explicitHashKey,
})

const filled = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 0xff)

/** Views that begin anywhere in their buffer, of every length modulo three, small and large. */
const someData = fc
  .tuple(
    fc.oneof(
      { weight: 8, arbitrary: fc.nat(700) },
      { weight: 2, arbitrary: fc.integer({ min: 4_090, max: 4_100 }) },
      { weight: 1, arbitrary: fc.integer({ min: 49_000, max: 150_000 }) },
    ),
    fc.nat(7),
  )
  .map(([length, offset]) => filled(length + offset).subarray(offset))

const someKey = fc.oneof(
  fc.string({ minLength: 1, maxLength: 256 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }),
)

const someText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4_096, size: 'large' }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
)

describe('the body of a request', () => {
  it('is the JSON that a serializer would make, for any data and keys', () => {
    const someHashKey = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(String)
    const aHashKey = fc.option(someHashKey, { nil: undefined })
    const anEntry = fc.oneof(
      fc.tuple(someData, someKey, aHashKey).map((parts) => entry(...parts)),
      fc.tuple(someText, someKey, aHashKey).map(([text, ...keys]) => ({
        ...entry(Buffer.from(text), ...keys),
        text,
      })),
    )
    fc.assert(
      fc.property(fc.array(anEntry, { maxLength: 60 }), (entries) => {
        expect(bodyOf({ streamName: 'orders' }, entries)).toBe(json({ StreamName: 'orders' }, entries))
      }),
      { numRuns: 300 },
    )
  })

  it('takes 500 records, and those that fill the encoder to the byte', () => {
    for (const length of [0, 1, 2, 3, 305, 1_840, 4_096, 4_097, 9_215, 9_216, 9_217, 27_648]) {
      const entries = Array.from({ length: 500 }, (_, index) =>
        entry(filled(Math.min(length, 4_200)), `k${index}`),
      )
      entries.push(entry(filled(length)))
      expect(bodyOf({ streamName: 'orders' }, entries)).toBe(json({ StreamName: 'orders' }, entries))
    }
  })

  it('names a stream by its ARN', () => {
    const streamArn = 'arn:aws:kinesis:us-east-1:123456789012:stream/orders'
    expect(bodyOf({ streamArn }, [entry(filled(5))])).toBe(json({ StreamARN: streamArn }, [entry(filled(5))]))
  })

  it('escapes keys as JSON does, half of a surrogate pair too', () => {
    for (const key of ['"', '\\', '\n', '\u007f', 'ü', 'キー', '😀', '\ud83d', '\u2028', '__proto__']) {
      const entries = [entry(filled(1), key), entry(filled(2), key.repeat(100))]
      expect(bodyOf({ streamName: 'orders' }, entries)).toBe(json({ StreamName: 'orders' }, entries))
    }
  })
})
