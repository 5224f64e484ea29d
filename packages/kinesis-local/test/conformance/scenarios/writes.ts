import { createHash } from 'node:crypto'
import { PutRecordCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import { MIDDLE_HASH_KEY, outcome } from '../service-under-test.js'

const one = 'API reference, PutRecord'
const many = 'API reference, PutRecords'

export const writeScenarios: readonly Scenario[] = [
  {
    name: 'numbers the records of a shard in the order of their puts',
    document: one,
    async ask(service) {
      const StreamName = await service.sharedStream()
      const numbers: bigint[] = []
      for (let index = 0; index < 5; index++) {
        numbers.push(BigInt((await service.put(StreamName, 'a', 'x')).SequenceNumber!))
      }
      return numbers.every((number, index) => index === 0 || number > numbers[index - 1]!)
    },
    expected: true,
  },
  {
    name: 'finds the shard by the MD5 of the partition key',
    document: one,
    async ask(service) {
      const StreamName = await service.aStream(2)
      const keys = ['a', 'b', 'order-1', 'zażółć', '😀']
      const shards = await Promise.all(keys.map((key) => service.put(StreamName, key, 'x')))
      return shards.every(({ ShardId }, index) => {
        const high = createHash('md5').update(keys[index]!).digest()[0]! >= 0x80
        return ShardId!.endsWith(high ? '1' : '0')
      })
    },
    expected: true,
  },
  {
    name: 'puts a record where its explicit hash key says',
    document: one,
    async ask(service) {
      const StreamName = await service.aStream(2)
      const keys = ['0', String(BigInt(MIDDLE_HASH_KEY) - 1n), MIDDLE_HASH_KEY, String((1n << 128n) - 1n)]
      const shards = await Promise.all(keys.map((key) => service.put(StreamName, 'same', 'x', key)))
      return shards.map(({ ShardId }) => ShardId!.slice(-1)).join('')
    },
    expected: '0011',
  },
  {
    name: 'refuses explicit hash keys above 2^128-1, and what is no number',
    document: one,
    async ask(service) {
      const StreamName = await service.sharedStream()
      return [
        await outcome(service.put(StreamName, 'a', 'x', String(1n << 128n))),
        await outcome(service.put(StreamName, 'a', 'x', 'abc')),
      ]
    },
    expected: ['InvalidArgumentException 400', 'ValidationException 400'],
  },
  {
    name: 'takes a sequence number of the stream for ordering, and refuses what is none',
    document: one,
    async ask(service) {
      const StreamName = await service.sharedStream()
      const put = (SequenceNumberForOrdering?: string) =>
        service.client.send(
          new PutRecordCommand({
            StreamName,
            PartitionKey: 'a',
            Data: Buffer.from('x'),
            SequenceNumberForOrdering,
          }),
        )
      const { SequenceNumber } = await put()
      const second = await put(SequenceNumber)
      return [
        BigInt(second.SequenceNumber!) > BigInt(SequenceNumber!),
        await outcome(put('first')),
        await outcome(put('9'.repeat(56))),
      ]
    },
    expected: [true, 'ValidationException 400', 'InvalidArgumentException 400'],
  },
  {
    name: 'takes records without a byte, and any bytes',
    document: one,
    async ask(service) {
      const StreamName = await service.aStream()
      await service.put(StreamName, 'ключ', '')
      await service.put(StreamName, '😀', Buffer.from([0, 255, 13, 10]))
      const { Records = [] } = await service.read(StreamName)
      return Records.map(({ PartitionKey, Data }) => [PartitionKey, Buffer.from(Data!).toString('hex')])
    },
    expected: [
      ['ключ', ''],
      ['😀', '00ff0d0a'],
    ],
  },
  {
    name: 'answers a batch entry by entry, in its order',
    document: many,
    async ask(service) {
      const StreamName = await service.aStream(2)
      const { FailedRecordCount, Records = [] } = await service.client.send(
        new PutRecordsCommand({
          StreamName,
          Records: [0, 1, 2, 3].map((index) => ({
            PartitionKey: 'a',
            ExplicitHashKey: index % 2 === 0 ? '0' : MIDDLE_HASH_KEY,
            Data: Buffer.from(`${index}`),
          })),
        }),
      )
      const texts = []
      for (const ShardId of ['shardId-000000000000', 'shardId-000000000001']) {
        texts.push(await service.texts(StreamName, { ShardId }, 2))
      }
      return { FailedRecordCount, shards: Records.map(({ ShardId }) => ShardId!.slice(-1)).join(''), texts }
    },
    expected: {
      FailedRecordCount: 0,
      shards: '0101',
      texts: [
        ['0', '2'],
        ['1', '3'],
      ],
    },
  },
]
