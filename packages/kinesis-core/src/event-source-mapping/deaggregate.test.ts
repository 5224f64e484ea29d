import { describe, expect, it } from 'vitest'
import { encodeAggregate } from '../aggregated-record/encode-aggregate.js'
import { partitionKeyHash, uniformHashKeyRanges } from '../hash-key.js'
import { deaggregate } from './deaggregate.js'
import { aMapping, aRecord, invocations, invoked, reporting, START_MS, success } from './mapping-fixture.js'

const [lower, upper] = uniformHashKeyRanges(2)
const keyIn = (range: typeof lower) =>
  Array.from({ length: 100 }, (_, index) => `key-${index}`).find((key) => {
    const hash = partitionKeyHash(key)
    return hash >= range!.startingHashKey && hash <= range!.endingHashKey
  })!
const [low, high] = [keyIn(lower), keyIn(upper)]
const container = (members: Parameters<typeof encodeAggregate>[0]) => ({
  ...aRecord(0),
  partitionKey: 'container',
  data: encodeAggregate(members),
})
const user = (partitionKey: string, text: string, explicitHashKey?: string) => ({
  partitionKey,
  data: Buffer.from(text),
  ...(explicitHashKey === undefined ? {} : { explicitHashKey }),
})
const shown = ({ members }: ReturnType<typeof deaggregate>) =>
  members.map(({ partitionKey, data }) => `${partitionKey}: ${Buffer.from(data)}`)

describe('the members of an aggregate', () => {
  it('come with their own key and data, in their order, under the number of the whole', () => {
    const record = container([user(low, '1'), user(low, '2')])

    const { members, strays } = deaggregate(record, lower!)

    expect(shown({ members, strays })).toEqual([`${low}: 1`, `${low}: 2`])
    expect(members.map((member) => member.sequenceNumber)).toEqual(['1000', '1000'])
    expect(strays).toBe(0)
  })

  it('are dropped where their hash key lies in another shard, be it explicit or not', () => {
    const record = container([
      user(low, 'here'),
      user(high, 'there'),
      user(high, 'here, explicitly', '5'),
      user(low, 'there, explicitly', String(upper!.startingHashKey)),
    ])

    expect(shown(deaggregate(record, lower!))).toEqual([`${low}: here`, `${high}: here, explicitly`])
    expect(deaggregate(record, lower!).strays).toBe(2)
    expect(shown(deaggregate(record, upper!))).toEqual([`${high}: there`, `${low}: there, explicitly`])
  })

  it('are none where a record is plain, or its checksum does not fit', () => {
    const plain = { ...aRecord(0), data: Buffer.from('plain') }
    const broken = container([user(low, '1')])
    broken.data[broken.data.length - 1]! ^= 1

    expect(deaggregate(plain, lower!)).toEqual({ members: [plain], strays: 0 })
    expect(deaggregate(broken, lower!)).toEqual({ members: [broken], strays: 0 })
  })

  it('are retried from the first of them that the batch holds, and passed by the checkpoint together', () => {
    const mapping = aMapping({ reportBatchItemFailures: true })
    const [first] = invocations(mapping.offer([aRecord(0), aRecord(1), aRecord(1), aRecord(2)], START_MS))

    const again = mapping.settle(first!.id, reporting(1), START_MS)

    expect(invoked(again)).toEqual([[1, 1, 2]])
    expect(mapping.checkpoint).toBe('1000')
    mapping.settle(invocations(again)[0]!.id, success, START_MS)
    expect(mapping.checkpoint).toBe('1002')
  })

  it('hold the checkpoint before all of them while one in another batch is unresolved', () => {
    const mapping = aMapping({ batchSize: 2 })
    const [first] = invocations(mapping.offer([aRecord(0), aRecord(1), aRecord(1)], START_MS))

    mapping.settle(first!.id, success, START_MS)

    expect(mapping.checkpoint).toBe('1000')
  })
})
