import { readFileSync } from 'node:fs'
import { AggregateBuilder, decodeAggregate, encodeAggregate, type UserRecord } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { containerOf, messageOf, userRecord } from './support/containers.js'

interface GoldenCase {
  name: string
  records: { partitionKey: string; explicitHashKey: string | null; data: string }[]
  encoded: string
}

const golden = ['kpl', 'record-aggregator', 'aws-kinesis-agg-python'].flatMap((writer) => {
  const file = new URL(`./golden/${writer}.json`, import.meta.url)
  const cases: GoldenCase[] = JSON.parse(readFileSync(file, 'utf8'))
  return cases.map((each) => ({ writer, ...each }))
})

const MAGIC = Buffer.from('f3899ac2', 'hex')

describe('the aggregated record format', () => {
  it.each(golden)('reads what $writer wrote: $name', ({ records, encoded }) => {
    const decoded = decodeAggregate(Buffer.from(encoded, 'hex'))

    expect(decoded.kind).toBe('aggregated')
    if (decoded.kind !== 'aggregated') return
    expect(
      decoded.records.map((record) => ({
        partitionKey: record.partitionKey,
        explicitHashKey: record.explicitHashKey ?? null,
        data: record.data.toString('hex'),
      })),
    ).toEqual(records)
  })

  it.each(golden)('writes what $writer wrote, byte for byte: $name', ({ records, encoded }) => {
    const written = encodeAggregate(
      records.map(({ partitionKey, explicitHashKey, data }) => ({
        partitionKey,
        data: Buffer.from(data, 'hex'),
        ...(explicitHashKey === null ? {} : { explicitHashKey }),
      })),
    )

    expect(Buffer.from(written).toString('hex')).toBe(encoded)
  })

  it('gives back every record that went in', () => {
    fc.assert(
      fc.property(fc.array(userRecord, { minLength: 1, maxLength: 30 }), (records) => {
        const decoded = decodeAggregate(encodeAggregate(records))

        expect(decoded.kind).toBe('aggregated')
        if (decoded.kind !== 'aggregated') return
        expect(
          decoded.records.map(({ data, tags, ...rest }) => ({ ...rest, data: [...data], tags: [...tags] })),
        ).toEqual(
          records.map(({ data, tags, ...rest }) => ({ ...rest, data: [...data], tags: [...(tags ?? [])] })),
        )
      }),
    )
  })

  it('knows its exact size while it is built, takes text as UTF-8, and leaves out what would be too much', () => {
    const maxBytes = fc.integer({ min: 20, max: 3_000 })
    const member = fc.tuple(userRecord, fc.option(fc.string({ maxLength: 200, unit: 'grapheme' })))
    fc.assert(
      fc.property(fc.array(member, { maxLength: 30 }), maxBytes, (members, limit) => {
        const builder = new AggregateBuilder()
        const added: UserRecord[] = []
        for (const [record, text] of members) {
          const before = builder.sizeBytes
          const bytes = text === null ? record.data : Buffer.from(text)
          const withIt = encodeAggregate([...added, { ...record, data: bytes }])
          const fits = builder.add({ ...record, data: text ?? record.data }, limit)

          expect(fits).toBe(withIt.byteLength <= limit)
          expect(builder.sizeBytes).toBe(fits ? withIt.byteLength : before)
          if (!fits) continue
          added.push({ ...record, data: bytes })
          expect(builder.dataBytes).toBe(added.reduce((sum, { data }) => sum + data.byteLength, 0))
          expect(Buffer.from(builder.lastData)).toEqual(Buffer.from(bytes))
        }
        expect(builder.count).toBe(added.length)
        expect(Buffer.from(builder.finish())).toEqual(Buffer.from(encodeAggregate(added)))
        expect(builder.count).toBe(0)
        builder.add({ partitionKey: 'again', data: 'x' })
        expect(decodeAggregate(builder.finish())).toMatchObject({ records: [{ partitionKey: 'again' }] })
      }),
    )
  })

  it('takes anything without the magic for a plain record', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        fc.pre(!Buffer.from(bytes).subarray(0, 4).equals(MAGIC))
        expect(decodeAggregate(bytes)).toEqual({ kind: 'plain' })
      }),
    )
  })

  it('takes a record whose MD5 does not fit for a plain one, as KCL does', () => {
    const broken = Buffer.from(encodeAggregate([{ partitionKey: 'a', data: Buffer.from('x') }]))
    broken[6] = broken[6]! ^ 1

    expect(decodeAggregate(broken)).toEqual({ kind: 'plain' })
  })

  it('never throws on a message of random bytes under a right MD5', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (message) => {
        expect(['aggregated', 'corrupt']).toContain(decodeAggregate(containerOf(message)).kind)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['a length beyond the end', '0aff01', 'runs past the end'],
    ['a partition key that is not in the table', '1a0408051a00', 'partition key 5 is not in the table'],
    ['a record without data', '0a01611a020800', 'no data'],
    ['a record without a partition key', '1a021a00', 'no partition key'],
    ['an endless number', '08ffffffffffffffffffffff', 'more than ten bytes'],
    ['an unknown wire type', '0b', 'wire type 3'],
  ])('calls %s corrupt and says why', (_, hex, reason) => {
    const decoded = decodeAggregate(containerOf(hex))

    expect(decoded).toMatchObject({ kind: 'corrupt', reason: expect.stringContaining(reason) })
  })

  it('passes over fields that it does not know', () => {
    const known = messageOf(encodeAggregate([{ partitionKey: 'a', data: Buffer.from('x') }]))

    expect(decodeAggregate(containerOf('7a03616263', known))).toMatchObject({
      kind: 'aggregated',
      records: [{ partitionKey: 'a' }],
    })
  })
})
