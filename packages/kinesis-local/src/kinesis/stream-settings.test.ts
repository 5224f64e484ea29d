import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { KinesisService } from './kinesis-service.js'

const StreamName = 'orders'
const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
const ShardId = 'shardId-000000000000'

function aService(CreateStream: Record<string, unknown> = { ShardCount: 1 }) {
  const clock = new ManualClock()
  const service = new KinesisService({ clock })
  const call = <T = Record<string, unknown>>(operation: string, input: Record<string, unknown> = {}) =>
    service.call(operation, { StreamName, ...input }) as T
  call('CreateStream', CreateStream)
  const summary = () =>
    call<{ StreamDescriptionSummary: Record<string, unknown> }>('DescribeStreamSummary')
      .StreamDescriptionSummary
  const put = () => call('PutRecord', { PartitionKey: 'a', Data: Buffer.from('x') })
  const register = () =>
    call<{ Consumer: { ConsumerARN: string } }>('RegisterStreamConsumer', { StreamARN, ConsumerName: 'fast' })
      .Consumer.ConsumerARN
  return { clock, service, call, summary, put, register }
}

const refused = (code: string) => expect.objectContaining({ code })

describe('encryption', () => {
  const key = { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' }

  it('is told of the stream, of every put, and of every record as it was when it was written', async () => {
    const { service, call, summary, put, register } = aService()
    const types = [put().EncryptionType]
    call('StartStreamEncryption', key)
    expect(summary()).toMatchObject(key)
    expect(call('DescribeStream')).toMatchObject({ StreamDescription: key })
    types.push(put().EncryptionType)
    types.push(call('PutRecords', { Records: [{ PartitionKey: 'a', Data: 'eA==' }] }).EncryptionType)
    call('StopStreamEncryption', key)
    types.push(put().EncryptionType)

    expect(types).toEqual(['NONE', 'KMS', 'KMS', 'NONE'])
    expect(summary().EncryptionType).toBe('NONE')
    expect(summary()).not.toHaveProperty('KeyId')
    const iterator = call('GetShardIterator', { ShardId, ShardIteratorType: 'TRIM_HORIZON' })
    const { Records } = call<{ Records: { EncryptionType: string }[] }>('GetRecords', iterator)
    expect(Records.map(({ EncryptionType }) => EncryptionType)).toEqual(types)
    const ConsumerARN = register()
    const StartingPosition = { Type: 'TRIM_HORIZON' }
    for await (const event of service.subscribeToShard({ ConsumerARN, ShardId, StartingPosition })) {
      expect(event.Records.map(({ EncryptionType }) => EncryptionType)).toEqual(types)
      break
    }
  })

  it.each([
    [{ EncryptionType: 'NONE', KeyId: 'k' }, 'InvalidArgumentException'],
    [{ EncryptionType: 'AES', KeyId: 'k' }, 'ValidationException'],
    [{ EncryptionType: 'KMS' }, 'ValidationException'],
    [{ EncryptionType: 'KMS', KeyId: '' }, 'ValidationException'],
    [{ EncryptionType: 'KMS', KeyId: 'k'.repeat(2_049) }, 'ValidationException'],
  ])('is refused with %o', (input, code) => {
    const { call } = aService()

    expect(() => call('StartStreamEncryption', input)).toThrow(refused(code))
    expect(() => call('StopStreamEncryption', input)).toThrow(refused(code))
  })
})

describe('tags', () => {
  it('are put on streams and consumers, when they are made and later', () => {
    const { call, register } = aService({ ShardCount: 1, Tags: { team: 'a' } })
    const ConsumerARN = register()
    call('TagResource', { ResourceARN: StreamARN, Tags: { stage: 'test' } })
    call('TagResource', { ResourceARN: ConsumerARN, Tags: { team: 'b' } })
    call('UntagResource', { ResourceARN: StreamARN, TagKeys: ['team', 'none'] })

    expect(call('ListTagsForResource', { ResourceARN: StreamARN })).toEqual({
      Tags: [{ Key: 'stage', Value: 'test' }],
    })
    expect(call('ListTagsForResource', { ResourceARN: ConsumerARN })).toEqual({
      Tags: [{ Key: 'team', Value: 'b' }],
    })
    expect(call('ListTagsForStream')).toMatchObject({ Tags: [{ Key: 'stage', Value: 'test' }] })
  })

  it('that are refused keep a stream and a consumer from being made', () => {
    const { call } = aService()
    const Tags = { ['k'.repeat(129)]: 'v' }

    expect(() => call('CreateStream', { StreamName: 'tagged', ShardCount: 1, Tags })).toThrow(
      refused('ValidationException'),
    )
    expect(() => call('DescribeStream', { StreamName: 'tagged' })).toThrow(
      refused('ResourceNotFoundException'),
    )
    expect(() => call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'c', Tags })).toThrow(
      refused('ValidationException'),
    )
    expect(call('ListStreamConsumers', { StreamARN })).toEqual({ Consumers: [] })
  })

  it('are not those of AWS, and have no control characters', () => {
    const { call } = aService()

    for (const Tags of [
      { 'aws:cloudformation:stack': 'v' },
      { 'AWS:x': 'v' },
      { 'a\u0000b': 'v' },
      { a: '\u0007' },
    ])
      expect(() => call('AddTagsToStream', { Tags })).toThrow(refused('InvalidArgumentException'))
    expect(() => call('AddTagsToStream', { Tags: { 'team:Größe = 1 / 2': 'a @ b' } })).not.toThrow()
  })

  it('of what is not there are an error', () => {
    const { call } = aService()

    for (const ResourceARN of [`${StreamARN}s`, `${StreamARN}/consumer/none:1`]) {
      expect(() => call('ListTagsForResource', { ResourceARN })).toThrow(refused('ResourceNotFoundException'))
    }
  })
})

describe('a resource policy', () => {
  it('is kept for streams and consumers, and given back', () => {
    const { call, register } = aService()
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [] })

    for (const ResourceARN of [StreamARN, register()]) {
      expect(call('GetResourcePolicy', { ResourceARN })).toEqual({ Policy: '{}' })
      expect(() => call('DeleteResourcePolicy', { ResourceARN })).toThrow(
        refused('ResourceNotFoundException'),
      )
      call('PutResourcePolicy', { ResourceARN, Policy })
      expect(call('GetResourcePolicy', { ResourceARN })).toEqual({ Policy })
      call('DeleteResourcePolicy', { ResourceARN })
      expect(call('GetResourcePolicy', { ResourceARN })).toEqual({ Policy: '{}' })
      for (const wrong of ['nonsense', '[]', 'null']) {
        expect(() => call('PutResourcePolicy', { ResourceARN, Policy: wrong })).toThrow(
          refused('InvalidArgumentException'),
        )
      }
    }
  })
})

describe('an on-demand stream', () => {
  const onDemand = { StreamModeDetails: { StreamMode: 'ON_DEMAND' } }
  const MINUTE_MS = 60_000

  /** Writes so many records of 1 KiB in every second of a minute, each with the next key. */
  async function aMinuteOf({ clock, call }: ReturnType<typeof aService>, perSecond: number, key?: string) {
    for (let second = 0; second < 60; second++) {
      for (let sent = 0; sent < perSecond; sent += 500) {
        const count = Math.min(500, perSecond - sent)
        call('PutRecords', {
          Records: Array.from({ length: count }, (_, index) => ({
            PartitionKey: key ?? `key-${second}-${sent + index}`,
            Data: Buffer.alloc(10),
          })),
        })
      }
      await clock.advance(1_000)
    }
  }

  const shardsOf = ({ summary }: ReturnType<typeof aService>) => summary().OpenShardCount

  it('begins with four shards, and has no say in their number', () => {
    const { call, summary } = aService(onDemand)
    const inMode = 'Request is invalid. Stream orders under account 000000000000 is in On-Demand mode.'
    const validation = expect.objectContaining({ code: 'ValidationException', message: inMode })

    expect(summary()).toMatchObject({ OpenShardCount: 4, ...onDemand })
    expect(() => call('UpdateShardCount', { TargetShardCount: 8, ScalingType: 'UNIFORM_SCALING' })).toThrow(
      validation,
    )
    expect(() => call('SplitShard', { ShardToSplit: ShardId, NewStartingHashKey: '5' })).toThrow(validation)
    expect(() =>
      call('MergeShards', { ShardToMerge: ShardId, AdjacentShardToMerge: 'shardId-000000000001' }),
    ).toThrow(validation)
    expect(() => call('CreateStream', { StreamName: 'other', ShardCount: 1, ...onDemand })).toThrow(
      refused('InvalidArgumentException'),
    )
  })

  it('holds double the busiest minute, once that is over', async () => {
    const stream = aService(onDemand)
    await aMinuteOf(stream, 1_900)
    stream.put()
    expect(shardsOf(stream)).toBe(4)

    await aMinuteOf(stream, 2_400)
    stream.put()
    expect(shardsOf(stream)).toBe(5)
    await aMinuteOf(stream, 100)
    stream.put()
    expect(shardsOf(stream)).toBe(5)
  })

  it('splits the shard that refuses records, though others have room', async () => {
    const stream = aService(onDemand)
    const { ShardId: hot } = stream.call('PutRecord', { PartitionKey: 'hot', Data: 'eA==' })
    await aMinuteOf(stream, 1_200, 'hot')
    stream.put()

    const { Shards } = stream.call<{ Shards: { ParentShardId?: string }[] }>('ListShards')
    expect(Shards.map(({ ParentShardId }) => ParentShardId)).toEqual([...Array(4), hot, hot])
  })

  it('does not grow for what it does not take, nor a provisioned one at all', async () => {
    const provisioned = aService({ ShardCount: 4 })
    await aMinuteOf(provisioned, 3_900)
    provisioned.put()
    expect(shardsOf(provisioned)).toBe(4)

    const idle = aService(onDemand)
    idle.put()
    await idle.clock.advance(10 * MINUTE_MS)
    idle.put()
    expect(shardsOf(idle)).toBe(4)
  })

  it('keeps its shards when the mode is switched, and can then be resharded', () => {
    const { call, summary } = aService({ ShardCount: 2 })
    call('UpdateStreamMode', { StreamARN, ...onDemand })
    expect(summary()).toMatchObject({ OpenShardCount: 2, ...onDemand })

    call('UpdateStreamMode', { StreamARN, StreamModeDetails: { StreamMode: 'PROVISIONED' } })
    call('UpdateShardCount', { TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' })
    expect(summary().OpenShardCount).toBe(4)
  })

  it('is one of fifty at most', () => {
    const { call } = aService()
    const modeOf = (StreamMode: string) =>
      call('UpdateStreamMode', { StreamARN, StreamModeDetails: { StreamMode } })
    for (let index = 0; index < 50; index++)
      call('CreateStream', { StreamName: `on-demand-${index}`, ...onDemand })

    expect(() => call('CreateStream', { StreamName: 'one-more', ...onDemand })).toThrow(
      refused('LimitExceededException'),
    )
    expect(() => modeOf('ON_DEMAND')).toThrow(refused('LimitExceededException'))
    call('DeleteStream', { StreamName: 'on-demand-0' })
    modeOf('ON_DEMAND')
    modeOf('ON_DEMAND')
    expect(call('DescribeLimits')).toMatchObject({ OnDemandStreamCount: 50, OnDemandStreamCountLimit: 50 })
  })

  it('is warmed where the account has committed itself', () => {
    const { call, summary } = aService(onDemand)
    const warm = (WarmThroughputMiBps: number) => call('UpdateStreamWarmThroughput', { WarmThroughputMiBps })
    const commit = (Status: string) =>
      call('UpdateAccountSettings', { MinimumThroughputBillingCommitment: { Status } })

    expect(() => warm(10)).toThrow(refused('ValidationException'))
    expect(call('DescribeAccountSettings')).toEqual({
      MinimumThroughputBillingCommitment: { Status: 'DISABLED' },
    })
    expect(commit('ENABLED')).toMatchObject({ MinimumThroughputBillingCommitment: { Status: 'ENABLED' } })
    expect(warm(10)).toMatchObject({ WarmThroughput: { TargetMiBps: 10, CurrentMiBps: 10 } })
    expect(summary()).toMatchObject({ OpenShardCount: 10, WarmThroughput: { CurrentMiBps: 10 } })
    expect(() => warm(10_241)).toThrow(refused('LimitExceededException'))
    expect(() => commit('ENABLED')).toThrow(refused('InvalidArgumentException'))
    expect(commit('DISABLED')).toMatchObject({
      MinimumThroughputBillingCommitment: { Status: 'DISABLED', EndedAt: expect.any(Number) },
    })
  })

  it('spreads records evenly and without keys when its distribution is AUTO', () => {
    const { call, summary } = aService(onDemand)
    const spread = () => {
      const { Records } = call<{ Records: { ShardId: string }[] }>('PutRecords', {
        Records: Array.from({ length: 400 }, () => ({ PartitionKey: 'a', Data: 'eA==' })),
      })
      return new Set(Records.map((record) => record.ShardId)).size
    }
    expect([summary().RecordDistributionStrategy, spread()]).toEqual(['USER_PARTITION_KEY', 1])

    call('UpdateStreamRecordDistributionStrategy', { StreamARN, RecordDistributionStrategy: 'AUTO' })
    expect([summary().RecordDistributionStrategy, spread()]).toEqual(['AUTO', 4])
    call('PutRecord', { Data: 'eA==' })
    call('UpdateStreamRecordDistributionStrategy', {
      StreamARN,
      RecordDistributionStrategy: 'USER_PARTITION_KEY',
    })
    expect(() => call('PutRecord', { Data: 'eA==' })).toThrow(refused('ValidationException'))
  })

  it('goes on to shards with room, with AUTO, when one of them is full', () => {
    const { call } = aService(onDemand)
    call('UpdateStreamRecordDistributionStrategy', { StreamARN, RecordDistributionStrategy: 'AUTO' })
    const full = call<{ ShardId: string }>('PutRecord', { Data: Buffer.alloc(1_048_000) }).ShardId

    const { Records, FailedRecordCount } = call<{
      Records: { ShardId?: string }[]
      FailedRecordCount: number
    }>('PutRecords', { Records: Array.from({ length: 40 }, () => ({ Data: Buffer.alloc(10_000) })) })

    expect(FailedRecordCount).toBe(10)
    const taken = new Set(Records.map(({ ShardId }) => ShardId))
    expect([taken.has(full), taken.has(undefined), taken.size]).toEqual([false, true, 4])
  })

  it('alone has a distribution and warm throughput', () => {
    const { call, summary } = aService()

    expect(() =>
      call('UpdateStreamRecordDistributionStrategy', { StreamARN, RecordDistributionStrategy: 'AUTO' }),
    ).toThrow(refused('InvalidArgumentException'))
    expect(() => call('UpdateStreamWarmThroughput', { WarmThroughputMiBps: 1 })).toThrow(
      refused('InvalidArgumentException'),
    )
    expect(summary()).not.toHaveProperty('RecordDistributionStrategy')
  })
})
