import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeLimitsCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  ListStreamsCommand,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import { FIRST_SHARD, outcome, shapeOf } from '../service-under-test.js'

const describedIn = 'API reference, DescribeStream'
const createdIn = 'API reference, CreateStream'
const listedIn = 'API reference, ListStreams'

export const streamScenarios: readonly Scenario[] = [
  {
    name: 'describes a new stream with its settings and equal shards',
    document: describedIn,
    async ask(service) {
      const StreamName = await service.aStream(2)
      const { StreamDescription: stream } = await service.client.send(
        new DescribeStreamCommand({ StreamName }),
      )
      return {
        status: stream?.StreamStatus,
        mode: stream?.StreamModeDetails?.StreamMode,
        retentionHours: stream?.RetentionPeriodHours,
        encryption: stream?.EncryptionType,
        monitoring: stream?.EnhancedMonitoring,
        hasMore: stream?.HasMoreShards,
        isNew: Math.abs(Date.now() - stream!.StreamCreationTimestamp!.getTime()) < 3_600_000,
        shards: shapeOf(stream?.Shards ?? []),
      }
    },
    expected: {
      status: 'ACTIVE',
      mode: 'PROVISIONED',
      retentionHours: 24,
      encryption: 'NONE',
      monitoring: [{ ShardLevelMetrics: [] }],
      hasMore: false,
      isNew: true,
      shards: [
        { id: FIRST_SHARD, from: '0', to: String((1n << 127n) - 1n), parents: [], closed: false },
        {
          id: 'shardId-000000000001',
          from: String(1n << 127n),
          to: String((1n << 128n) - 1n),
          parents: [],
          closed: false,
        },
      ],
    },
  },
  {
    name: 'names a stream by an ARN that ends with its name',
    document: describedIn,
    async ask(service) {
      const StreamName = await service.sharedStream()
      const arn = await service.arnOf(StreamName)
      return /^arn:aws[\w-]*:kinesis:[\w-]+:\d{12}:stream\/(.+)$/.exec(arn)?.[1] === StreamName
    },
    expected: true,
  },
  {
    name: 'sums a stream up with its open shards and consumers',
    document: 'API reference, DescribeStreamSummary',
    async ask(service) {
      const StreamName = await service.sharedStream()
      const { StreamDescriptionSummary: summary } = await service.client.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      )
      return { open: summary?.OpenShardCount, consumers: summary?.ConsumerCount }
    },
    expected: { open: 1, consumers: 0 },
  },
  {
    name: 'tells the largest record that a stream takes',
    document: 'API reference, StreamDescriptionSummary',
    async ask(service) {
      const StreamName = await service.sharedStream()
      const { StreamDescriptionSummary: summary } = await service.client.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      )
      return summary?.MaxRecordSizeInKiB
    },
    expected: 1_024,
  },
  {
    name: 'describes the shards of a stream page by page',
    document: describedIn,
    async ask(service) {
      const StreamName = await service.aStream(3)
      const page = async (ExclusiveStartShardId?: string) => {
        const { StreamDescription: stream } = await service.client.send(
          new DescribeStreamCommand({ StreamName, Limit: 2, ExclusiveStartShardId }),
        )
        return [stream?.Shards?.map(({ ShardId }) => ShardId), stream?.HasMoreShards]
      }
      return [await page(), await page('shardId-000000000001')]
    },
    expected: [
      [[FIRST_SHARD, 'shardId-000000000001'], true],
      [['shardId-000000000002'], false],
    ],
  },
  {
    name: 'takes the ARN of a stream instead of its name',
    document: 'API reference, PutRecord',
    async ask(service) {
      const StreamARN = await service.arnOf(await service.sharedStream())
      const put = new PutRecordCommand({ StreamARN, PartitionKey: 'a', Data: Buffer.from('x') })
      return (await service.client.send(put)).ShardId
    },
    expected: FIRST_SHARD,
  },
  {
    name: 'refuses to make a stream twice',
    document: createdIn,
    async ask(service) {
      const StreamName = await service.sharedStream()
      return outcome(service.client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 })))
    },
    expected: 'ResourceInUseException 400',
  },
  {
    name: 'refuses names with other characters than letters, digits, _ . and -',
    document: createdIn,
    ask: (service) =>
      outcome(service.client.send(new CreateStreamCommand({ StreamName: 'no spaces', ShardCount: 1 }))),
    expected: 'ValidationException 400',
  },
  {
    name: 'refuses a stream of no shards',
    document: createdIn,
    ask: (service) =>
      outcome(
        service.client.send(new CreateStreamCommand({ StreamName: service.unusedName(), ShardCount: 0 })),
      ),
    expected: 'ValidationException 400',
  },
  {
    name: 'deletes a stream, and knows it no more',
    document: 'API reference, DeleteStream',
    async ask(service) {
      const StreamName = await service.aStream()
      await service.client.send(new DeleteStreamCommand({ StreamName }))
      service.forget(StreamName)
      await service.gone(StreamName)
      return [
        await outcome(service.client.send(new DescribeStreamCommand({ StreamName }))),
        await outcome(service.put(StreamName, 'a', 'x')),
      ]
    },
    expected: ['ResourceNotFoundException 400', 'ResourceNotFoundException 400'],
  },
  {
    name: 'lists streams by name, page by page',
    document: listedIn,
    async ask(service) {
      const base = service.unusedName()
      for (const letter of ['b', 'a', 'd', 'c']) await service.aStream(1, `${base}-${letter}`)
      const after = async (letter: string, Limit: number) => {
        const { StreamNames, HasMoreStreams } = await service.client.send(
          new ListStreamsCommand({ Limit, ExclusiveStartStreamName: `${base}-${letter}` }),
        )
        return [StreamNames?.map((name) => name.slice(-1)).join(''), HasMoreStreams]
      }
      return [await after('a', 2), (await after('c', 1))[0]]
    },
    expected: [['bc', true], 'd'],
  },
  {
    name: 'lists streams with their state, and goes on by token',
    document: listedIn,
    async ask(service) {
      const base = service.unusedName()
      for (const letter of ['a', 'b', 'c']) await service.aStream(1, `${base}-${letter}`)
      const first = await service.client.send(
        new ListStreamsCommand({ Limit: 1, ExclusiveStartStreamName: `${base}-a` }),
      )
      const second = await service.client.send(
        new ListStreamsCommand({ Limit: 1, NextToken: first.NextToken }),
      )
      return [first, second].map(({ StreamSummaries }) =>
        StreamSummaries?.map(({ StreamName, StreamStatus }) => [StreamName?.slice(-2), StreamStatus]),
      )
    },
    expected: [[['-b', 'ACTIVE']], [['-c', 'ACTIVE']]],
  },
  {
    name: 'tells the limits of the account',
    document: 'API reference, DescribeLimits',
    async ask(service) {
      await service.sharedStream()
      const limits = await service.client.send(new DescribeLimitsCommand({}))
      return [
        limits.ShardLimit! > 0,
        limits.OpenShardCount! > 0,
        typeof limits.OnDemandStreamCount,
        limits.OnDemandStreamCountLimit! > 0,
      ]
    },
    expected: [true, true, 'number', true],
  },
]
