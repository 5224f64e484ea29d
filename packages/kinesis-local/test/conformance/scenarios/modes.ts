import {
  CreateStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  ListTagsForResourceCommand,
  PutRecordsCommand,
  StartStreamEncryptionCommand,
  StopStreamEncryptionCommand,
  type StreamMode,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateShardCountCommand,
  UpdateStreamModeCommand,
} from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import { outcome, type ServiceUnderTest } from '../service-under-test.js'

const onDemand = 'Developer guide, Choose the right capacity mode'
const KeyId = 'alias/aws/kinesis'

async function anOnDemandStream(service: ServiceUnderTest): Promise<string> {
  const StreamName = service.unusedName()
  await service.client.send(
    new CreateStreamCommand({ StreamName, StreamModeDetails: { StreamMode: 'ON_DEMAND' } }),
  )
  service.keep(StreamName)
  await service.active(StreamName)
  return StreamName
}

async function summary(service: ServiceUnderTest, StreamName: string) {
  const { StreamDescriptionSummary } = await service.client.send(
    new DescribeStreamSummaryCommand({ StreamName }),
  )
  return [StreamDescriptionSummary?.StreamModeDetails?.StreamMode, StreamDescriptionSummary?.OpenShardCount]
}

export const modeScenarios: readonly Scenario[] = [
  {
    name: 'makes an on-demand stream with four shards',
    document: onDemand,
    ask: async (service) => summary(service, await anOnDemandStream(service)),
    expected: ['ON_DEMAND', 4],
  },
  {
    name: 'lets nobody scale an on-demand stream',
    document: 'API reference, UpdateShardCount',
    async ask(service) {
      const StreamName = await anOnDemandStream(service)
      return outcome(
        service.client.send(
          new UpdateShardCountCommand({ StreamName, TargetShardCount: 8, ScalingType: 'UNIFORM_SCALING' }),
        ),
      )
    },
    expected: 'ValidationException 400',
  },
  {
    name: 'switches the mode of a stream, which keeps its shards',
    document: 'API reference, UpdateStreamMode',
    async ask(service) {
      const StreamName = await service.aStream(3)
      const StreamARN = await service.arnOf(StreamName)
      const change = async (StreamMode: StreamMode) => {
        await service.client.send(
          new UpdateStreamModeCommand({ StreamARN, StreamModeDetails: { StreamMode } }),
        )
        await service.active(StreamName)
        return summary(service, StreamName)
      }
      return [await change('ON_DEMAND'), await change('PROVISIONED')]
    },
    expected: [
      ['ON_DEMAND', 3],
      ['PROVISIONED', 3],
    ],
  },
  {
    name: 'tells of the encryption of a stream, and of what is put into it',
    document: 'API reference, StartStreamEncryption',
    async ask(service) {
      const StreamName = await service.aStream()
      const described = async () => {
        await service.active(StreamName)
        const { StreamDescription } = await service.client.send(new DescribeStreamCommand({ StreamName }))
        const { EncryptionType } = await service.client.send(
          new PutRecordsCommand({ StreamName, Records: [{ PartitionKey: 'a', Data: Buffer.from('x') }] }),
        )
        return [StreamDescription?.EncryptionType, StreamDescription?.KeyId, EncryptionType]
      }
      await service.client.send(
        new StartStreamEncryptionCommand({ StreamName, EncryptionType: 'KMS', KeyId }),
      )
      const on = await described()
      await service.client.send(new StopStreamEncryptionCommand({ StreamName, EncryptionType: 'KMS', KeyId }))
      return [on, (await described())[0]]
    },
    expected: [['KMS', KeyId, 'KMS'], 'NONE'],
  },
  {
    name: 'tags a stream by its ARN',
    document: 'API reference, TagResource',
    async ask(service) {
      const ResourceARN = await service.arnOf(await service.aStream())
      await service.client.send(new TagResourceCommand({ ResourceARN, Tags: { team: 'orders', cost: '1' } }))
      await service.client.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['cost'] }))
      const { Tags } = await service.client.send(new ListTagsForResourceCommand({ ResourceARN }))
      return Tags
    },
    expected: [{ Key: 'team', Value: 'orders' }],
  },
]
