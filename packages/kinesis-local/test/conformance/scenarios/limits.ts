import { GetRecordsCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import { outcome, type ServiceUnderTest } from '../service-under-test.js'

const MIB = 1024 * 1024
const many = 'API reference, PutRecords'
const quotas = 'Developer guide, Quotas and limits'

function putBatch(service: ServiceUnderTest, StreamName: string, sizes: readonly number[]) {
  const Records = sizes.map((size, index) => ({ PartitionKey: `${index % 10}`, Data: Buffer.alloc(size) }))
  return service.client.send(new PutRecordsCommand({ StreamName, Records }))
}

export const limitScenarios: readonly Scenario[] = [
  {
    name: 'takes 500 records in a batch',
    document: many,
    async ask(service) {
      const { Records = [] } = await putBatch(service, await service.aStream(2), Array(500).fill(1))
      return Records.length
    },
    expected: 500,
  },
  {
    name: 'refuses 501 records in a batch',
    document: many,
    ask: async (service) => outcome(putBatch(service, await service.sharedStream(), Array(501).fill(1))),
    expected: 'ValidationException 400',
  },
  {
    name: 'refuses a batch of none',
    document: many,
    ask: async (service) => outcome(putBatch(service, await service.sharedStream(), [])),
    expected: 'ValidationException 400',
  },
  {
    name: 'takes a batch of 6 MiB',
    notAsked: { 'npm kinesis-local': 'It needs a second and more for each MiB.' },
    document: many,
    async ask(service) {
      // Streams of their own: large records would slow down the readers of the shared one.
      const StreamName = await service.aStream()
      return outcome(putBatch(service, StreamName, Array(6).fill(MIB - 10)))
    },
    expected: 'ok',
  },
  {
    name: 'refuses a batch above 10 MiB',
    notAsked: { 'npm kinesis-local': 'It needs a second and more for each MiB.' },
    document: many,
    async ask(service) {
      const StreamName = await service.aStream()
      return (await outcome(putBatch(service, StreamName, Array(11).fill(MIB - 10)))) === 'ok'
    },
    expected: false,
  },
  {
    name: 'takes a record of 1 MiB with its key',
    document: 'API reference, PutRecord',
    ask: async (service) => outcome(service.put(await service.aStream(), 'key', Buffer.alloc(MIB - 3))),
    expected: 'ok',
  },
  {
    name: 'refuses a record that its key brings above 1 MiB',
    document: 'API reference, PutRecord',
    async ask(service) {
      const answer = await outcome(service.put(await service.sharedStream(), 'key', Buffer.alloc(MIB - 2)))
      return answer === 'ok'
    },
    expected: false,
  },
  {
    name: 'stores nothing of a batch with a record that is too large',
    document: many,
    async ask(service) {
      const StreamName = await service.aStream()
      const refused = (await outcome(putBatch(service, StreamName, [1, MIB + 1]))) !== 'ok'
      const { Records = [] } = await service.read(StreamName)
      return { refused, stored: Records.length }
    },
    expected: { refused: true, stored: 0 },
  },
  {
    name: 'takes partition keys of 1 to 256 characters',
    document: 'API reference, PutRecord',
    async ask(service) {
      const StreamName = await service.sharedStream()
      const lengths = [0, 1, 256, 257]
      const answers: string[] = []
      for (const length of lengths)
        answers.push(await outcome(service.put(StreamName, 'k'.repeat(length), 'x')))
      return answers
    },
    expected: ['ValidationException 400', 'ok', 'ok', 'ValidationException 400'],
  },
  {
    name: 'throttles record by record what is written too fast to a shard',
    document: quotas,
    async ask(service) {
      const StreamName = await service.aStream()
      const puts = Array.from({ length: 5 }, () => putBatch(service, StreamName, Array(500).fill(1)))
      const outputs = await Promise.all(puts.map((put) => put.catch(() => undefined)))
      const codes = outputs.flatMap((output) => output?.Records?.map(({ ErrorCode }) => ErrorCode) ?? [])
      return [...new Set(codes.map((code) => code ?? 'stored'))].sort()
    },
    expected: ['ProvisionedThroughputExceededException', 'stored'],
  },
  {
    name: 'lets a shard be read five times in a second, not twenty times',
    document: quotas,
    async ask(service) {
      const ShardIterator = await service.iterator(await service.aStream())
      const reads = Array.from({ length: 20 }, () =>
        outcome(service.client.send(new GetRecordsCommand({ ShardIterator }))),
      )
      return [...new Set(await Promise.all(reads))].sort()
    },
    expected: ['ProvisionedThroughputExceededException 400', 'ok'],
  },
]
