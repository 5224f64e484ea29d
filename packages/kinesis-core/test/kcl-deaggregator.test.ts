import {
  decodeAggregate,
  encodeAggregate,
  MAX_HASH_KEY,
  parseHashKey,
  partitionKeyHash,
  type UserRecord,
  uniformHashKeyRanges,
} from '@org/kinesis-core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { containerOf, userRecord } from './support/containers.js'
import { findKcl, type Kcl } from './support/kcl.js'
import { mutatedMessages } from './support/mutated-messages.js'

const found = findKcl()
const skipped = 'missing' in found
if (skipped) console.info(`KCL's deaggregator is not tested: that needs ${found.missing}`)

/** What KCL is to deliver of a container that holds `records`. */
function membersOf(records: readonly UserRecord[], sequenceNumber = '0') {
  return records.map(({ tags, data, ...record }, subSequenceNumber) => ({
    ...record,
    data: Buffer.from(data),
    sequenceNumber,
    subSequenceNumber,
    aggregated: true,
  }))
}

const plain = (data: Uint8Array, sequenceNumber = '0') => ({
  partitionKey: 'key of the container',
  data: Buffer.from(data),
  sequenceNumber,
  subSequenceNumber: 0,
  aggregated: false,
})

const record = (partitionKey: string, data = 'x', rest: Partial<UserRecord> = {}): UserRecord => ({
  partitionKey,
  data: Buffer.from(data),
  ...rest,
})

describe.skipIf(skipped)(
  `KCL's deaggregator on what we write${skipped ? ` (skipped: needs ${found.missing})` : ''}`,
  () => {
    let kcl: Kcl
    beforeAll(() => {
      if (!skipped) kcl = found.start()
    })
    afterAll(() => kcl.close())

    it('delivers every member, in order, with its keys, data and sub-sequence number', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(userRecord, { minLength: 1, maxLength: 30 }), async (records) => {
          expect(await kcl.deaggregate([encodeAggregate(records)])).toEqual(membersOf(records))
        }),
        { numRuns: 500 },
      )
    })

    it.each([
      ['one member', [record('a')]],
      ['a member without data', [record('a', ''), record('b')]],
      ['keys that are not ASCII', [record('ключ'), record('鍵'), record('🔑'), record('e\u0301')]],
      ['the smallest and the largest explicit hash key', ['0', `${MAX_HASH_KEY}`].map(withHashKey)],
      ['some explicit hash keys', [record('a'), withHashKey('7'), record('a'), withHashKey('7')]],
    ])('delivers %s', async (_, records) => {
      expect(await kcl.deaggregate([encodeAggregate(records)])).toEqual(membersOf(records))
    })

    it('delivers tens of thousands of members, whose indices take up to three bytes', async () => {
      const records = Array.from({ length: 20_000 }, (_, index) => record(`user_${index}`, `${index}`))

      expect(await kcl.deaggregate([encodeAggregate(records)])).toEqual(membersOf(records))
    })

    it('passes over tags', async () => {
      const records = [
        record('a', 'x', { tags: [{ key: 'trace', value: '1-5759e988' }, { key: 'ключ' }] }),
        record('b', 'y', { tags: [{ key: '', value: '' }] }),
      ]

      expect(await kcl.deaggregate([encodeAggregate(records)])).toEqual(membersOf(records))
    })

    it('accepts tables that follow the records, as our reader does', async () => {
      const container = containerOf('1a0508001a0178', '1a07080110001a0179', '0a0161', '0a0162', '120135')
      const records = [record('a'), record('b', 'y', { explicitHashKey: '5' })]

      expect(await kcl.deaggregate([container])).toEqual(membersOf(records))
      expect(decodeAggregate(container)).toMatchObject({ kind: 'aggregated', records })
    })

    it('counts the members of each container anew, between plain records', async () => {
      const [first, second] = [[record('a'), record('b')], [record('c')]]
      const [short, long] = [Buffer.from('{}'), Buffer.from('{"of":"no aggregate"}')]

      const containers = [encodeAggregate(first), short, encodeAggregate(second), long]
      expect(await kcl.deaggregate(containers)).toEqual([
        ...membersOf(first, '0'),
        plain(short, '1'),
        ...membersOf(second, '2'),
        plain(long, '3'),
      ])
    })

    it('drops a whole container of which one member is outside the shard, as our hash of the key says', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(userRecord, { minLength: 1, maxLength: 4 }),
          fc.integer({ min: 1, max: 3 }),
          async (records, shards) => {
            for (const range of uniformHashKeyRanges(shards)) {
              const outside = records.some(({ partitionKey, explicitHashKey }) => {
                const hashKey = BigInt(explicitHashKey ?? partitionKeyHash(partitionKey))
                return hashKey < range.startingHashKey || hashKey > range.endingHashKey
              })
              const delivered = await kcl.deaggregate([encodeAggregate(records)], range)
              expect(delivered).toEqual(outside ? [] : membersOf(records))
            }
          },
        ),
        { numRuns: 200 },
      )
    })

    it('delivers a container whose MD5 does not fit as a plain record, as our reader does', async () => {
      const broken = Buffer.from(encodeAggregate([record('a'), record('b')]))
      broken[6] = broken[6]! ^ 1

      expect(await kcl.deaggregate([broken])).toEqual([plain(broken)])
      expect(decodeAggregate(broken)).toEqual({ kind: 'plain' })
    })

    it('sees the same members as our reader in a message that was damaged, where both still see an aggregate', async () => {
      await fc.assert(
        fc.asyncProperty(mutatedMessages(), async (message) => {
          const container = containerOf(message)
          const decoded = decodeAggregate(container)
          if (decoded.kind !== 'aggregated' || !decoded.records.every(hasGoodHashKey)) return
          const delivered = await kcl.deaggregate([container])
          if (delivered[0]?.aggregated === false) return

          expect(delivered.map(withOneReplacement)).toEqual(
            membersOf(decoded.records).map(withOneReplacement),
          )
        }),
        { numRuns: 2_000 },
      )
      // Two thousand questions to a Java process beside other tests.
    }, 240_000)

    it('fails on an explicit hash key that is no number, so that whoever writes must refuse it', async () => {
      const container = encodeAggregate([record('a'), withHashKey('not a number')])

      await expect(kcl.deaggregate([container])).rejects.toThrow('NoClassDefFoundError')
    })
  },
)

const hasGoodHashKey = ({ explicitHashKey }: UserRecord) =>
  explicitHashKey === undefined || parseHashKey(explicitHashKey) !== undefined

/** Java and Node put different numbers of replacement characters for the same bytes that are not UTF-8. */
function withOneReplacement<R extends { partitionKey: string }>(member: R): R {
  return { ...member, partitionKey: member.partitionKey.replaceAll(/\ufffd+/g, '\ufffd') }
}

function withHashKey(explicitHashKey: string): UserRecord {
  return record('a', 'x', { explicitHashKey })
}
