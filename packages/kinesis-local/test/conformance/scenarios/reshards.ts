import {
  GetRecordsCommand,
  MergeShardsCommand,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import {
  FIRST_SHARD,
  MIDDLE_HASH_KEY,
  outcome,
  type ServiceUnderTest,
  shapeOf,
  textsOf,
} from '../service-under-test.js'

const SECOND_SHARD = 'shardId-000000000001'
const THIRD_SHARD = 'shardId-000000000002'
const LAST_HASH_KEY = String((1n << 128n) - 1n)
const splits = 'API reference, SplitShard'
const merges = 'API reference, MergeShards'
const scaling = 'API reference, UpdateShardCount'

async function split(service: ServiceUnderTest, StreamName: string, NewStartingHashKey = MIDDLE_HASH_KEY) {
  await service.client.send(
    new SplitShardCommand({ StreamName, ShardToSplit: FIRST_SHARD, NewStartingHashKey }),
  )
  await service.active(StreamName)
}

function merge(service: ServiceUnderTest, StreamName: string, first: string, second: string) {
  return service.client.send(
    new MergeShardsCommand({ StreamName, ShardToMerge: first, AdjacentShardToMerge: second }),
  )
}

async function resize(service: ServiceUnderTest, StreamName: string, TargetShardCount: number) {
  const answer = await service.client.send(
    new UpdateShardCountCommand({ StreamName, TargetShardCount, ScalingType: 'UNIFORM_SCALING' }),
  )
  await service.active(StreamName)
  return answer
}

/** Where open shards begin, in percent of the key space. */
async function ranges(service: ServiceUnderTest, StreamName: string) {
  const shapes = shapeOf(await service.shards(StreamName))
  const open = shapes.filter(({ closed }) => !closed)
  return open.map(({ from }) => Math.round((Number(BigInt(from!)) / 2 ** 128) * 100)).sort((a, b) => a - b)
}

export const reshardScenarios: readonly Scenario[] = [
  {
    name: 'splits a shard into two children',
    document: splits,
    async ask(service) {
      const StreamName = await service.aStream()
      await split(service, StreamName)
      return shapeOf(await service.shards(StreamName))
    },
    expected: [
      { id: FIRST_SHARD, from: '0', to: LAST_HASH_KEY, parents: [], closed: true },
      {
        id: SECOND_SHARD,
        from: '0',
        to: String((1n << 127n) - 1n),
        parents: [FIRST_SHARD],
        closed: false,
      },
      { id: THIRD_SHARD, from: MIDDLE_HASH_KEY, to: LAST_HASH_KEY, parents: [FIRST_SHARD], closed: false },
    ],
  },
  {
    name: 'merges two shards into one child',
    document: merges,
    async ask(service) {
      const StreamName = await service.aStream(2)
      await merge(service, StreamName, FIRST_SHARD, SECOND_SHARD)
      await service.active(StreamName)
      return shapeOf(await service.shards(StreamName)).slice(-1)
    },
    expected: [
      { id: THIRD_SHARD, from: '0', to: LAST_HASH_KEY, parents: [FIRST_SHARD, SECOND_SHARD], closed: false },
    ],
  },
  {
    name: 'ends a shard that was split with its children, and without an iterator',
    document: 'API reference, GetRecords',
    async ask(service) {
      const StreamName = await service.aStream()
      await service.put(StreamName, 'a', 'before')
      await split(service, StreamName)
      let page = await service.read(StreamName)
      const texts = textsOf(page)
      // The end may come on a page of its own.
      for (let pages = 0; pages < 5 && page.NextShardIterator != null; pages++) {
        page = await service.client.send(new GetRecordsCommand({ ShardIterator: page.NextShardIterator }))
        texts.push(...textsOf(page))
      }
      return {
        texts,
        ended: page.NextShardIterator == null,
        children: page.ChildShards?.map(({ ShardId, ParentShards, HashKeyRange }) => [
          ShardId,
          ParentShards,
          HashKeyRange?.StartingHashKey,
        ]),
      }
    },
    expected: {
      texts: ['before'],
      ended: true,
      children: [
        [SECOND_SHARD, [FIRST_SHARD], '0'],
        [THIRD_SHARD, [FIRST_SHARD], MIDDLE_HASH_KEY],
      ],
    },
  },
  {
    name: 'writes to the children of a shard that was split, with greater sequence numbers',
    document: splits,
    async ask(service) {
      const StreamName = await service.aStream()
      const before = await service.put(StreamName, 'a', 'x', '0')
      await split(service, StreamName)
      const after = await service.put(StreamName, 'a', 'x', '0')
      return [after.ShardId, BigInt(after.SequenceNumber!) > BigInt(before.SequenceNumber!)]
    },
    expected: [SECOND_SHARD, true],
  },
  {
    name: 'refuses to split at the edge of a shard, or outside it',
    document: splits,
    async ask(service) {
      const StreamName = await service.aStream(2)
      return [
        await outcome(split(service, StreamName, '0')),
        await outcome(split(service, StreamName, LAST_HASH_KEY)),
        await outcome(split(service, StreamName, 'middle')),
      ]
    },
    expected: ['InvalidArgumentException 400', 'InvalidArgumentException 400', 'ValidationException 400'],
  },
  {
    name: 'refuses to split or merge what is closed',
    document: splits,
    async ask(service) {
      const StreamName = await service.aStream()
      await split(service, StreamName)
      return [
        (await outcome(split(service, StreamName))) === 'ok',
        (await outcome(merge(service, StreamName, FIRST_SHARD, SECOND_SHARD))) === 'ok',
      ]
    },
    expected: [false, false],
  },
  {
    name: 'refuses to merge shards that are not adjacent',
    document: merges,
    async ask(service) {
      const StreamName = await service.aStream(3)
      return outcome(merge(service, StreamName, FIRST_SHARD, THIRD_SHARD))
    },
    expected: 'InvalidArgumentException 400',
  },
  {
    name: 'knows no shard to split that there is not',
    document: splits,
    async ask(service) {
      const StreamName = await service.sharedStream()
      return outcome(
        service.client.send(
          new SplitShardCommand({
            StreamName,
            ShardToSplit: 'shardId-000000000009',
            NewStartingHashKey: MIDDLE_HASH_KEY,
          }),
        ),
      )
    },
    expected: 'ResourceNotFoundException 400',
  },
  {
    name: 'doubles and halves the shards of a stream into equal ones',
    document: scaling,
    async ask(service) {
      const StreamName = await service.aStream(2)
      const { CurrentShardCount, TargetShardCount } = await resize(service, StreamName, 4)
      const four = await ranges(service, StreamName)
      await resize(service, StreamName, 2)
      return { CurrentShardCount, TargetShardCount, four, two: await ranges(service, StreamName) }
    },
    expected: { CurrentShardCount: 2, TargetShardCount: 4, four: [0, 25, 50, 75], two: [0, 50] },
  },
  {
    name: 'makes three equal shards of four',
    document: scaling,
    async ask(service) {
      const StreamName = await service.aStream(4)
      await resize(service, StreamName, 3)
      return ranges(service, StreamName)
    },
    expected: [0, 33, 67],
  },
  {
    name: 'refuses to scale above double or below half',
    document: scaling,
    async ask(service) {
      const StreamName = await service.aStream(4)
      return [await outcome(resize(service, StreamName, 9)), await outcome(resize(service, StreamName, 1))]
    },
    expected: ['InvalidArgumentException 400', 'InvalidArgumentException 400'],
  },
]
