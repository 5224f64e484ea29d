import { createHash } from 'node:crypto'
import { encodeAggregate } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { toTailRecords } from './tail-record.js'

const text = (data: Uint8Array) => Buffer.from(data).toString()
const record = (data: Uint8Array) => ({ sequenceNumber: '49', partitionKey: 'outer', data, arrivalMs: 5 })

describe('toTailRecords', () => {
  const aggregate = encodeAggregate([
    { partitionKey: 'ann', data: Buffer.from('1') },
    { partitionKey: 'bob', explicitHashKey: '7', data: Buffer.from('2') },
  ])

  it('passes an ordinary record on', () => {
    const [only] = toTailRecords('shard', record(Buffer.from('plain')), true)

    expect(only).toMatchObject({
      shardId: 'shard',
      partitionKey: 'outer',
      subSequenceNumber: undefined,
      arrivalMs: 5,
    })
  })

  it('takes an aggregate apart, in order, each with its own key', () => {
    const members = toTailRecords('shard', record(aggregate), true)

    expect(
      members.map(({ partitionKey, subSequenceNumber, data }) => [
        partitionKey,
        subSequenceNumber,
        text(data),
      ]),
    ).toEqual([
      ['ann', 0, '1'],
      ['bob', 1, '2'],
    ])
    expect(members[1]?.explicitHashKey).toBe('7')
  })

  it('leaves an aggregate whole where the caller wants it so', () => {
    const whole = toTailRecords('shard', record(aggregate), false)

    expect(whole).toHaveLength(1)
    expect(whole[0]?.data).toBe(aggregate)
  })

  it('passes a broken aggregate on whole, and says so', () => {
    const broken = Buffer.from([0x1a, 0xff])
    const magic = Buffer.from([0xf3, 0x89, 0x9a, 0xc2])
    const bytes = Buffer.concat([magic, broken, createHash('md5').update(broken).digest()])

    const [only] = toTailRecords('shard', record(bytes), true)

    expect(only?.corrupt).toBeTruthy()
    expect(only?.data).toBe(bytes)
  })
})
