import { StreamingError } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PermanentError } from '../errors.js'
import { envelopeText, type RejectedRecord, rejectedPayload, rejectedRecord } from '../rejected-record.js'
import { InvalidRejectedRecordError, parseRejectedRecord } from './parse-rejected-record.js'
import { aRejectedRecord } from './rejected-fixture.js'

const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom('\u0000', '\n', '\u2028', '\ufffe', '\ud800', '"', '\\'), fc.string()),
})

/** Whatever an event and a handler can bring forth. */
const written = fc
  .record({
    position: fc.record({
      streamArn: anyText,
      streamName: anyText,
      shardId: anyText,
      sequenceNumber: anyText,
      subSequenceNumber: fc.nat(),
      partitionKey: anyText,
      arrivalMs: fc
        .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
        .map((ms) => ms + 0),
    }),
    data: fc.uint8Array({ maxLength: 2_000 }),
    error: fc.anything(),
    message: anyText,
    nowMs: fc.nat(),
  })
  .map(({ position, data, error, message, nowMs }) =>
    rejectedRecord(
      { position, data, fault: undefined },
      { error: new PermanentError(message, { cause: error }), reasonCode: 'invalid' },
      nowMs,
    ),
  )

describe('an envelope that is read again', () => {
  it('is the record that was written, whatever it held', () => {
    fc.assert(
      fc.property(written, (record) => {
        const text = envelopeText(record)

        expect(text).not.toMatch(/[\n\ufffe\uffff]/)
        expect(parseRejectedRecord(text)).toEqual(JSON.parse(JSON.stringify(record)))
      }),
    )
  })

  it('gives the bytes as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        const record = parseRejectedRecord(envelopeText(aRejectedRecord({ data })))

        expect(Buffer.from(rejectedPayload(record)).equals(data)).toBe(true)
      }),
    )
  })

  it('of the largest record that a stream takes is within the bounds, also where a person has laid it out', () => {
    const record = aRejectedRecord({
      data: Buffer.alloc(10 * 1024 * 1024, 0xff),
      partitionKey: '\u0000'.repeat(256),
    })

    expect(parseRejectedRecord(JSON.stringify(record, undefined, 2))).toEqual(record)
  })

  it('keeps a reason that only a later release writes, and leaves out a field that it does not know', () => {
    const text = JSON.stringify({ ...aRejectedRecord(), reasonCode: 'too-old', note: 'new' })

    expect(parseRejectedRecord(text)).toEqual({ ...aRejectedRecord(), reasonCode: 'too-old' })
  })
})

describe('a text that is no envelope', () => {
  it('is refused with an error of one kind, whatever it holds', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.tuple(fc.constantFrom(...Object.keys(aRejectedRecord())), fc.anything()).map(([field, value]) => {
        try {
          return JSON.stringify({ ...aRejectedRecord(), [field]: value })
        } catch {
          return ''
        }
      }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        let record: RejectedRecord
        try {
          record = parseRejectedRecord(text)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRejectedRecordError)
          expect((error as Error).message.length).toBeLessThan(300)
          return
        }
        expect(parseRejectedRecord(envelopeText(record))).toEqual(record)
      }),
    )
  })

  it.each<[string, unknown]>([
    ['version is missing', { version: undefined }],
    ['version is "1", not 1', { version: '1' }],
    ['version is 0, not 1', { version: 0 }],
    ['streamArn is missing', { streamArn: undefined }],
    ['partitionKey is 7, not text', { partitionKey: 7 }],
    ['subSequenceNumber is -1, not a number that can be', { subSequenceNumber: -1 }],
    ['streamName is an object, not text', { streamName: {} }],
    ['arrivalMs is null, not a number that can be', { arrivalMs: null }],
    ['errors is "none", not a list', { errors: 'none' }],
    ['errors[0].name is missing', { errors: [null] }],
    ['payload is no base64', { payload: 'YWJj!' }],
    ['payload is no base64', { payload: 'YWJ' }],
  ])('names what is wrong: %s', (named, wrong) => {
    const text = JSON.stringify({ ...aRejectedRecord(), ...(wrong as object) })

    expect(() => parseRejectedRecord(text)).toThrow(`The envelope is broken: ${named}.`)
  })

  it.each(['', 'null', '[]', '"text"', '{"version":1,"strea', undefined])('is refused: %j', (text) => {
    expect(() => parseRejectedRecord(text as string)).toThrow(InvalidRejectedRecordError)
  })

  it('may be nested deeper than a stack', () => {
    const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`
    const envelope = JSON.stringify(aRejectedRecord())

    for (const text of [deep, '['.repeat(1_000_000), envelope.replace('"version":1', `"version":${deep}`)]) {
      expect(() => parseRejectedRecord(text)).toThrow(InvalidRejectedRecordError)
    }
  })

  it('of a later version is refused by its name', () => {
    const text = JSON.stringify({ version: 2, everything: 'else' })
    const refused = expect.objectContaining({ code: 'INVALID_REJECTED_RECORD', retryable: false })

    expect(() => parseRejectedRecord(text)).toThrow(/of version 2; .* reads version 1: use a later one/)
    expect(() => parseRejectedRecord(text)).toThrow(refused)
    expect(() => parseRejectedRecord(text)).toThrow(expect.toSatisfy(StreamingError.isInstance))
  })

  it('is refused before it fills the memory', () => {
    const record = aRejectedRecord()
    const hostile = [
      'x'.repeat(16 * 1024 * 1024 + 1),
      '['.repeat(10_000_000),
      JSON.stringify({ ...record, more: 1 }).replace('"more":1', `"more":[${'{},'.repeat(5_000_000)}{}]`),
      `{"payload":"","x":[${'[],'.repeat(5_000_000)}[]]}`,
    ]

    for (const text of hostile) {
      expect(() => parseRejectedRecord(text)).toThrow(/The envelope has \d+ characters/)
    }
  })
})
