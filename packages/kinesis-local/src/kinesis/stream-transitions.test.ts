import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { KinesisService } from './kinesis-service.js'

const StreamName = 'orders'
const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
const ShardId = 'shardId-000000000000'
const ResourceARN = StreamARN

function aService() {
  const clock = new ManualClock()
  const service = new KinesisService({ clock, streamTransitionMs: 1_000 })
  const call = <T>(operation: string, input: Record<string, unknown> = {}) =>
    service.call(operation, { StreamName, ...input }) as T
  const status = () =>
    call<{ StreamDescriptionSummary: { StreamStatus: string } }>('DescribeStreamSummary')
      .StreamDescriptionSummary.StreamStatus
  return { clock, call, status }
}

async function anActiveStream() {
  const made = aService()
  made.call('CreateStream', { ShardCount: 2 })
  await made.clock.advance(1_000)
  return made
}

const refused = (code: string) => expect.objectContaining({ code })
const put = { PartitionKey: 'a', Data: 'eA==' }

describe('a stream that is CREATING', () => {
  it('takes its time, on the clock', async () => {
    const { clock, call, status } = aService()
    call('CreateStream', { ShardCount: 2 })

    expect(call('DescribeStream')).toMatchObject({
      StreamDescription: { StreamStatus: 'CREATING', Shards: [] },
    })
    expect(call('ListStreams')).toMatchObject({ StreamSummaries: [{ StreamStatus: 'CREATING' }] })
    await clock.advance(999)
    expect(status()).toBe('CREATING')
    await clock.advance(1)
    expect(status()).toBe('ACTIVE')
    expect(call('DescribeStream')).toMatchObject({ StreamDescription: { Shards: [{ ShardId }, {}] } })
  })

  it.each([
    ['PutRecord', put, 'ResourceNotFoundException'],
    ['PutRecords', { Records: [put] }, 'ResourceNotFoundException'],
    ['GetShardIterator', { ShardId, ShardIteratorType: 'LATEST' }, 'ResourceNotFoundException'],
    ['ListShards', {}, 'ResourceInUseException'],
    ['RegisterStreamConsumer', { StreamARN, ConsumerName: 'fast' }, 'ResourceInUseException'],
    ['ListStreamConsumers', { StreamARN }, 'ResourceInUseException'],
    ['CreateStream', { ShardCount: 1 }, 'ResourceInUseException'],
  ])('refuses %s as the service does', (operation, input, code) => {
    const { call } = aService()
    call('CreateStream', { ShardCount: 2 })

    expect(() => call(operation, input)).toThrow(refused(code))
  })
})

const changes: [string, Record<string, unknown>][] = [
  ['SplitShard', { ShardToSplit: ShardId, NewStartingHashKey: '5' }],
  ['MergeShards', { ShardToMerge: ShardId, AdjacentShardToMerge: 'shardId-000000000001' }],
  ['UpdateShardCount', { TargetShardCount: 3, ScalingType: 'UNIFORM_SCALING' }],
  ['IncreaseStreamRetentionPeriod', { RetentionPeriodHours: 48 }],
  ['DecreaseStreamRetentionPeriod', { RetentionPeriodHours: 24 }],
  ['StartStreamEncryption', { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' }],
  ['StopStreamEncryption', { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' }],
  ['UpdateStreamMode', { StreamARN, StreamModeDetails: { StreamMode: 'ON_DEMAND' } }],
  ['UpdateMaxRecordSize', { MaxRecordSizeInKiB: 2_048 }],
  ['EnableEnhancedMonitoring', { ShardLevelMetrics: ['ALL'] }],
  ['DisableEnhancedMonitoring', { ShardLevelMetrics: ['ALL'] }],
]

describe('a stream that is UPDATING', () => {
  it.each(changes)('after %s takes no other change, but reads and writes', async (operation, input) => {
    const { clock, call, status } = await anActiveStream()
    call(operation, input)

    expect(status()).toBe('UPDATING')
    for (const [other, otherInput] of changes) {
      expect(() => call(other, otherInput), other).toThrow(refused('ResourceInUseException'))
    }
    expect(() => call('DeleteStream')).toThrow(
      'Stream orders under account 000000000000 not ACTIVE, instead in state UPDATING',
    )
    call('PutRecord', put)
    call('GetShardIterator', { ShardId, ShardIteratorType: 'TRIM_HORIZON' })
    call('ListShards')
    call('TagResource', { ResourceARN, Tags: { team: 'a' } })
    await clock.advance(1_000)
    expect(status()).toBe('ACTIVE')
  })
})

describe('a stream that is DELETING', () => {
  it('is there until its deletion is over, and then its name is free', async () => {
    const { clock, call, status } = await anActiveStream()
    call('DeleteStream')

    expect(status()).toBe('DELETING')
    expect(() => call('CreateStream', { ShardCount: 1 })).toThrow(refused('ResourceInUseException'))
    expect(() => call('DeleteStream')).toThrow(refused('ResourceInUseException'))
    // The service might still take records, and here it does.
    call('PutRecord', put)
    await clock.advance(1_000)
    expect(status).toThrow(refused('ResourceNotFoundException'))
    expect(call('ListStreams')).toMatchObject({ StreamNames: [] })
    call('CreateStream', { ShardCount: 1 })
    expect(status()).toBe('CREATING')
  })
})

it('lets go of the records of a deleted stream', async () => {
  const clock = new ManualClock()
  const service = new KinesisService({ clock, streamTransitionMs: 1_000 })
  service.createStream({ name: StreamName, shards: 1, retentionHours: 24 })
  service.call('PutRecord', { StreamName, PartitionKey: 'a', Data: Buffer.alloc(99) })
  expect(service.retainedBytes).toBe(100 + 48)

  service.call('DeleteStream', { StreamName })
  await clock.advance(1_000)
  service.call('ListStreams', {})
  expect(service.retainedBytes).toBe(0)
})
