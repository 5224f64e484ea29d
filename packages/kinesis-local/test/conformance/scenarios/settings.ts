import {
  AddTagsToStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DescribeStreamSummaryCommand,
  DisableEnhancedMonitoringCommand,
  EnableEnhancedMonitoringCommand,
  IncreaseStreamRetentionPeriodCommand,
  ListTagsForStreamCommand,
  RemoveTagsFromStreamCommand,
  UpdateMaxRecordSizeCommand,
} from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import { outcome, type ServiceUnderTest } from '../service-under-test.js'

const tags = 'API reference, AddTagsToStream'

async function retention(service: ServiceUnderTest, StreamName: string): Promise<number | undefined> {
  const summary = await service.client.send(new DescribeStreamSummaryCommand({ StreamName }))
  return summary.StreamDescriptionSummary?.RetentionPeriodHours
}

async function increase(service: ServiceUnderTest, StreamName: string, RetentionPeriodHours: number) {
  const answer = await outcome(
    service.client.send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours })),
  )
  await service.active(StreamName)
  return answer
}

async function decrease(service: ServiceUnderTest, StreamName: string, RetentionPeriodHours: number) {
  const answer = await outcome(
    service.client.send(new DecreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours })),
  )
  await service.active(StreamName)
  return answer
}

export const settingsScenarios: readonly Scenario[] = [
  {
    name: 'changes the retention of a stream',
    document: 'API reference, IncreaseStreamRetentionPeriod',
    async ask(service) {
      const StreamName = await service.aStream()
      const up = await increase(service, StreamName, 48)
      const raised = await retention(service, StreamName)
      const down = await decrease(service, StreamName, 24)
      return [up, raised, down, await retention(service, StreamName)]
    },
    expected: ['ok', 48, 'ok', 24],
  },
  {
    name: 'keeps records for up to 365 days',
    document: 'API reference, IncreaseStreamRetentionPeriod',
    async ask(service) {
      const StreamName = await service.aStream()
      return [
        await increase(service, StreamName, 8_760),
        (await increase(service, StreamName, 8_761)) === 'ok',
      ]
    },
    expected: ['ok', false],
  },
  {
    name: 'refuses to keep records for less than a day, or to increase downwards',
    document: 'API reference, DecreaseStreamRetentionPeriod',
    async ask(service) {
      const StreamName = await service.aStream()
      await increase(service, StreamName, 72)
      return [
        await decrease(service, StreamName, 23),
        await decrease(service, StreamName, 96),
        await increase(service, StreamName, 48),
      ]
    },
    expected: Array(3).fill('InvalidArgumentException 400'),
  },
  {
    name: 'adds, lists and removes tags',
    document: tags,
    async ask(service) {
      const StreamName = await service.aStream()
      await service.client.send(
        new AddTagsToStreamCommand({ StreamName, Tags: { team: 'orders', cost: '1', empty: '' } }),
      )
      await service.client.send(new AddTagsToStreamCommand({ StreamName, Tags: { cost: '2' } }))
      await service.client.send(new RemoveTagsFromStreamCommand({ StreamName, TagKeys: ['team', 'other'] }))
      const { Tags, HasMoreTags } = await service.client.send(new ListTagsForStreamCommand({ StreamName }))
      return [Tags?.map(({ Key, Value }) => `${Key}=${Value}`).sort(), HasMoreTags]
    },
    expected: [['cost=2', 'empty='], false],
  },
  {
    name: 'lists tags page by page',
    document: 'API reference, ListTagsForStream',
    async ask(service) {
      const StreamName = await service.aStream()
      await service.client.send(new AddTagsToStreamCommand({ StreamName, Tags: { c: '3', a: '1', b: '2' } }))
      const first = await service.client.send(new ListTagsForStreamCommand({ StreamName, Limit: 2 }))
      const rest = await service.client.send(
        new ListTagsForStreamCommand({ StreamName, ExclusiveStartTagKey: first.Tags?.at(-1)?.Key }),
      )
      return [first, rest].map(({ Tags, HasMoreTags }) => [Tags?.map(({ Key }) => Key), HasMoreTags])
    },
    expected: [
      [['a', 'b'], true],
      [['c'], false],
    ],
  },
  {
    name: 'refuses tags without a key, and values above 256 characters',
    document: tags,
    async ask(service) {
      const StreamName = await service.sharedStream()
      const add = (Tags: Record<string, string>) =>
        outcome(service.client.send(new AddTagsToStreamCommand({ StreamName, Tags })))
      return [
        await add({ '': 'x' }),
        await add({ a: 'x'.repeat(257) }),
        await add({ ['k'.repeat(129)]: 'x' }),
      ]
    },
    expected: Array(3).fill('ValidationException 400'),
  },
  {
    name: 'switches metrics per shard on and off',
    document: 'API reference, EnableEnhancedMonitoring',
    async ask(service) {
      const StreamName = await service.aStream()
      const on = await service.client.send(
        new EnableEnhancedMonitoringCommand({
          StreamName,
          ShardLevelMetrics: ['IncomingBytes', 'OutgoingBytes'],
        }),
      )
      await service.active(StreamName)
      const off = await service.client.send(
        new DisableEnhancedMonitoringCommand({ StreamName, ShardLevelMetrics: ['IncomingBytes'] }),
      )
      return [on, off].map(({ CurrentShardLevelMetrics, DesiredShardLevelMetrics }) => [
        [...(CurrentShardLevelMetrics ?? [])].sort(),
        [...(DesiredShardLevelMetrics ?? [])].sort(),
      ])
    },
    expected: [
      [[], ['IncomingBytes', 'OutgoingBytes']],
      [['IncomingBytes', 'OutgoingBytes'], ['OutgoingBytes']],
    ],
  },
  {
    name: 'lets a stream take records above 1 MiB',
    document: 'API reference, UpdateMaxRecordSize',
    async ask(service) {
      const StreamName = await service.aStream()
      const StreamARN = await service.arnOf(StreamName)
      const update = (MaxRecordSizeInKiB: number) =>
        outcome(service.client.send(new UpdateMaxRecordSizeCommand({ StreamARN, MaxRecordSizeInKiB })))
      const answers = [await update(2_048), await update(1_023), await update(10_241)]
      await service.active(StreamName)
      return [...answers, await outcome(service.put(StreamName, 'a', Buffer.alloc(1.5 * 1024 * 1024)))]
    },
    expected: ['ok', 'ValidationException 400', 'ValidationException 400', 'ok'],
  },
]
