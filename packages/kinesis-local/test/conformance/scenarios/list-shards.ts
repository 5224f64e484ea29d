import { setTimeout as sleep } from 'node:timers/promises'
import {
  ListShardsCommand,
  type ListShardsInput,
  type ListShardsOutput,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import { FIRST_SHARD, MIDDLE_HASH_KEY, outcome, type ServiceUnderTest } from '../service-under-test.js'

const document = 'API reference, ListShards'
const filters = 'API reference, ShardFilter'

/** A stream whose only shard was split in two. */
async function splitStream(service: ServiceUnderTest): Promise<string> {
  const StreamName = await service.aStream()
  await service.client.send(
    new SplitShardCommand({
      StreamName,
      ShardToSplit: FIRST_SHARD,
      NewStartingHashKey: MIDDLE_HASH_KEY,
    }),
  )
  await service.active(StreamName)
  return StreamName
}

/** The last digit of the id of each shard listed. */
function list(service: ServiceUnderTest, input: ListShardsInput): Promise<string> {
  return service.client.send(new ListShardsCommand(input)).then(digits)
}

function digits({ Shards = [] }: ListShardsOutput): string {
  return Shards.map(({ ShardId }) => ShardId!.slice(-1)).join('')
}

export const listShardsScenarios: readonly Scenario[] = [
  {
    name: 'lists shards page by page, with a token until the last',
    document,
    async ask(service) {
      const StreamName = await service.aStream(5)
      const pages: string[] = []
      let page = await service.client.send(new ListShardsCommand({ StreamName, MaxResults: 2 }))
      pages.push(digits(page))
      while (page.NextToken !== undefined && pages.length < 5) {
        page = await service.client.send(new ListShardsCommand({ NextToken: page.NextToken, MaxResults: 2 }))
        pages.push(digits(page))
      }
      return pages
    },
    expected: ['01', '23', '4'],
  },
  {
    name: 'lists shards after a given one',
    document,
    async ask(service) {
      const StreamName = await service.aStream(3)
      return list(service, { StreamName, ExclusiveStartShardId: FIRST_SHARD })
    },
    expected: '12',
  },
  {
    name: 'refuses a token together with a name',
    document,
    async ask(service) {
      const StreamName = await service.aStream(2)
      const { NextToken = 'none' } = await service.client.send(
        new ListShardsCommand({ StreamName, MaxResults: 1 }),
      )
      return outcome(list(service, { StreamName, NextToken }))
    },
    expected: 'InvalidArgumentException 400',
  },
  {
    name: 'refuses a token that is none',
    notAsked: { kinesalite: 'A NextToken ends its process.' },
    document,
    ask: (service) => outcome(list(service, { NextToken: 'bm8gdG9rZW4=' })),
    expected: 'InvalidArgumentException 400',
  },
  {
    name: 'forgets a token after five minutes',
    document,
    needsTime: true,
    async ask(service) {
      const StreamName = await service.aStream(2)
      const { NextToken } = await service.client.send(new ListShardsCommand({ StreamName, MaxResults: 1 }))
      await service.advance!(301_000)
      return outcome(list(service, { NextToken }))
    },
    expected: 'ExpiredNextTokenException 400',
  },
  {
    name: 'filters the shards that are open now: AT_LATEST',
    document: filters,
    ask: async (service) =>
      list(service, { StreamName: await splitStream(service), ShardFilter: { Type: 'AT_LATEST' } }),
    expected: '12',
  },
  {
    name: 'filters the shards that were open when the stream begins: AT_TRIM_HORIZON',
    document: filters,
    ask: async (service) =>
      list(service, { StreamName: await splitStream(service), ShardFilter: { Type: 'AT_TRIM_HORIZON' } }),
    expected: '0',
  },
  {
    name: 'filters all shards that still have records: FROM_TRIM_HORIZON',
    document: filters,
    ask: async (service) =>
      list(service, { StreamName: await splitStream(service), ShardFilter: { Type: 'FROM_TRIM_HORIZON' } }),
    expected: '012',
  },
  {
    name: 'filters the shards after an id: AFTER_SHARD_ID',
    document: filters,
    ask: async (service) =>
      list(service, {
        StreamName: await splitStream(service),
        ShardFilter: { Type: 'AFTER_SHARD_ID', ShardId: 'shardId-000000000001' },
      }),
    expected: '2',
  },
  {
    name: 'filters the shards that are open at an instant, and from it on: AT_TIMESTAMP, FROM_TIMESTAMP',
    document: filters,
    async ask(service) {
      const StreamName = await splitStream(service)
      const { Shards } = await service.client.send(new ListShardsCommand({ StreamName }))
      // No shard was closed in the second of the instant.
      await sleep(1_100)
      // The service's clock and ours may differ: a record tells its time.
      const { ShardId } = await service.put(StreamName, 'a', 'x')
      const { Records } = await service.read(StreamName, { ShardId })
      const Timestamp = Records?.[0]?.ApproximateArrivalTimestamp
      return [
        Shards?.length,
        await list(service, { StreamName, ShardFilter: { Type: 'AT_TIMESTAMP', Timestamp } }),
        await list(service, {
          StreamName,
          ShardFilter: { Type: 'FROM_TIMESTAMP', Timestamp: new Date(Timestamp!.getTime() - 3_600_000) },
        }),
      ]
    },
    expected: [3, '12', '012'],
  },
  {
    name: 'refuses a filter that there is not',
    document: filters,
    ask: async (service) =>
      outcome(
        list(service, {
          StreamName: await service.sharedStream(),
          ShardFilter: { Type: 'OPEN' as 'AT_LATEST' },
        }),
      ),
    expected: 'ValidationException 400',
  },
]
