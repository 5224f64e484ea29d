import { setTimeout as sleep } from 'node:timers/promises'
import {
  DeleteStreamCommand,
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
  type GetShardIteratorInput,
  type ShardIteratorType,
} from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import { FIRST_SHARD, outcome, type ServiceUnderTest, textsOf } from '../service-under-test.js'

const iterators = 'API reference, GetShardIterator'
const records = 'API reference, GetRecords'

/** A stream with the records `0` to `count - 1`. */
async function filled(service: ServiceUnderTest, count: number) {
  const StreamName = await service.aStream()
  const sequenceNumbers: string[] = []
  for (let index = 0; index < count; index++) {
    sequenceNumbers.push((await service.put(StreamName, 'a', `${index}`)).SequenceNumber!)
  }
  return { StreamName, sequenceNumbers }
}

/** Asks for an iterator of the shared stream. */
async function asked(service: ServiceUnderTest, where: Partial<GetShardIteratorInput>): Promise<string> {
  const StreamName = await service.sharedStream()
  return outcome(
    service.client.send(
      new GetShardIteratorCommand({
        StreamName,
        ShardId: FIRST_SHARD,
        ShardIteratorType: 'TRIM_HORIZON',
        ...where,
      }),
    ),
  )
}

export const readScenarios: readonly Scenario[] = [
  {
    name: 'reads from the oldest record: TRIM_HORIZON',
    document: iterators,
    async ask(service) {
      const { StreamName } = await filled(service, 3)
      return service.texts(StreamName, { ShardIteratorType: 'TRIM_HORIZON' }, 3)
    },
    expected: ['0', '1', '2'],
  },
  {
    name: 'reads what comes after the iterator was made: LATEST',
    document: iterators,
    async ask(service) {
      const { StreamName } = await filled(service, 2)
      const ShardIterator = await service.iterator(StreamName, { ShardIteratorType: 'LATEST' })
      await service.put(StreamName, 'a', 'later')
      await sleep(50)
      return textsOf(await service.client.send(new GetRecordsCommand({ ShardIterator })))
    },
    expected: ['later'],
  },
  {
    name: 'reads from a record on: AT_SEQUENCE_NUMBER',
    document: iterators,
    async ask(service) {
      const { StreamName, sequenceNumbers } = await filled(service, 3)
      return service.texts(
        StreamName,
        { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: sequenceNumbers[1] },
        2,
      )
    },
    expected: ['1', '2'],
  },
  {
    name: 'reads after a record: AFTER_SEQUENCE_NUMBER',
    document: iterators,
    async ask(service) {
      const { StreamName, sequenceNumbers } = await filled(service, 3)
      return service.texts(
        StreamName,
        { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: sequenceNumbers[1] },
        1,
      )
    },
    expected: ['2'],
  },
  {
    name: 'reads from an instant on: AT_TIMESTAMP',
    document: iterators,
    async ask(service) {
      const { StreamName } = await filled(service, 2)
      await sleep(300)
      await service.put(StreamName, 'a', 'late')
      const { Records = [] } = await service.read(StreamName)
      const Timestamp = Records.at(-1)!.ApproximateArrivalTimestamp
      return service.texts(StreamName, { ShardIteratorType: 'AT_TIMESTAMP', Timestamp }, 1)
    },
    expected: ['late'],
  },
  {
    name: 'takes an instant before the stream for its beginning',
    document: iterators,
    async ask(service) {
      const { StreamName } = await filled(service, 1)
      return service.texts(StreamName, { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(0) }, 1)
    },
    expected: ['0'],
  },
  {
    name: 'reads from the beginning of a shard: AT_SEQUENCE_NUMBER of its range',
    document: iterators,
    async ask(service) {
      const { StreamName } = await filled(service, 1)
      const [shard] = await service.shards(StreamName)
      const StartingSequenceNumber = shard?.SequenceNumberRange?.StartingSequenceNumber
      return service.texts(StreamName, { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber }, 1)
    },
    expected: ['0'],
  },
  {
    name: 'refuses iterators that lack what their type needs, or bring what it does not',
    document: iterators,
    ask: async (service) => [
      await asked(service, { ShardIteratorType: 'AT_SEQUENCE_NUMBER' }),
      await asked(service, { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' }),
      await asked(service, { ShardIteratorType: 'AT_TIMESTAMP' }),
      await asked(service, { ShardIteratorType: 'TRIM_HORIZON', StartingSequenceNumber: '49' }),
    ],
    expected: Array(4).fill('InvalidArgumentException 400'),
  },
  {
    name: 'refuses sequence numbers that are none, or of another shard',
    document: iterators,
    async ask(service) {
      const StreamName = await service.aStream(2)
      const { SequenceNumber } = await service.put(StreamName, 'a', 'x', '0')
      const at = (StartingSequenceNumber: string | undefined) =>
        outcome(
          service.iterator(StreamName, {
            ShardId: 'shardId-000000000001',
            ShardIteratorType: 'AT_SEQUENCE_NUMBER',
            StartingSequenceNumber,
          }),
        )
      return [await at(SequenceNumber), await at('12345'), await at('first')]
    },
    expected: ['InvalidArgumentException 400', 'InvalidArgumentException 400', 'ValidationException 400'],
  },
  {
    name: 'refuses an iterator type that there is not',
    document: iterators,
    ask: (service) => asked(service, { ShardIteratorType: 'NEWEST' as ShardIteratorType }),
    expected: 'ValidationException 400',
  },
  {
    name: 'knows no shard that there is not',
    document: iterators,
    ask: async (service) => [
      await asked(service, { ShardId: 'shardId-000000000009' }),
      await asked(service, { ShardId: 'first' }),
      await asked(service, { ShardId: 'no shard' }),
    ],
    expected: ['ResourceNotFoundException 400', 'ResourceNotFoundException 400', 'ValidationException 400'],
  },
  {
    name: 'refuses an instant that is yet to come',
    document: iterators,
    ask: (service) =>
      asked(service, { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(Date.now() + 86_400_000) }),
    expected: 'InvalidArgumentException 400',
  },
  {
    name: 'gives records page by page, each once, in order',
    document: records,
    async ask(service) {
      const { StreamName } = await filled(service, 5)
      const pages: string[][] = []
      let ShardIterator: string | undefined = await service.iterator(StreamName)
      while (pages.flat().length < 5 && pages.length < 5) {
        const page: GetRecordsOutput = await service.client.send(
          new GetRecordsCommand({ ShardIterator, Limit: 2 }),
        )
        pages.push(textsOf(page))
        ShardIterator = page.NextShardIterator
        await sleep(250)
      }
      return pages
    },
    expected: [['0', '1'], ['2', '3'], ['4']],
  },
  {
    name: 'tells a reader how far it is behind, and 0 at the tip',
    document: records,
    async ask(service) {
      const { StreamName } = await filled(service, 2)
      await sleep(300)
      const behind = await service.read(StreamName, {}, 1)
      const tip = await service.read(StreamName, { ShardIteratorType: 'LATEST' })
      return [behind.MillisBehindLatest! >= 250, tip.MillisBehindLatest]
    },
    expected: [true, 0],
  },
  {
    name: 'gives an iterator for later at the tip of an open shard',
    document: records,
    async ask(service) {
      const { StreamName } = await filled(service, 1)
      const first = await service.read(StreamName)
      await service.put(StreamName, 'a', 'next')
      await sleep(50)
      const ShardIterator = first.NextShardIterator
      return textsOf(await service.client.send(new GetRecordsCommand({ ShardIterator })))
    },
    expected: ['next'],
  },
  {
    name: 'tells when a record arrived',
    document: 'API reference, Record',
    async ask(service) {
      const { StreamName } = await filled(service, 1)
      const { Records = [] } = await service.read(StreamName)
      // Clocks differ, and other scenarios let minutes go by.
      return Math.abs(Date.now() - Records[0]!.ApproximateArrivalTimestamp!.getTime()) < 3_600_000
    },
    expected: true,
  },
  {
    name: 'gives at most 10,000 records in a page',
    document: records,
    async ask(service) {
      const ShardIterator = await service.iterator(await service.sharedStream())
      const answers: string[] = []
      for (const Limit of [0, 1, 10_000, 10_001]) {
        answers.push(await outcome(service.client.send(new GetRecordsCommand({ ShardIterator, Limit }))))
      }
      return answers
    },
    expected: ['ValidationException 400', 'ok', 'ok', 'ValidationException 400'],
  },
  {
    name: 'refuses an iterator that is none',
    document: records,
    ask: async (service) => [
      await outcome(service.client.send(new GetRecordsCommand({ ShardIterator: 'garbage' }))),
      await outcome(
        service.client.send(
          new GetRecordsCommand({ ShardIterator: Buffer.from('["a",1]').toString('base64') }),
        ),
      ),
    ],
    expected: Array(2).fill('InvalidArgumentException 400'),
  },
  {
    name: 'lets an iterator expire after five minutes',
    document: records,
    needsTime: true,
    async ask(service) {
      const ShardIterator = await service.iterator(await service.aStream())
      await service.advance!(301_000)
      return outcome(service.client.send(new GetRecordsCommand({ ShardIterator })))
    },
    expected: 'ExpiredIteratorException 400',
  },
  {
    name: 'reads nothing of a stream that was deleted',
    document: records,
    async ask(service) {
      const StreamName = await service.aStream()
      const ShardIterator = await service.iterator(StreamName)
      await service.client.send(new DeleteStreamCommand({ StreamName }))
      service.forget(StreamName)
      await service.gone(StreamName)
      return outcome(service.client.send(new GetRecordsCommand({ ShardIterator })))
    },
    expected: 'ResourceNotFoundException 400',
  },
]
