import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  ResourceNotFoundException,
  SplitShardCommand,
  UpdateShardCountCommand,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { kinesisClient, protocols } from './support/clients.js'

let local: Local
let nextStream = 1

beforeAll(async () => {
  local = await startLocal({ region: 'eu-central-1' })
})
afterAll(() => local.close())

describe.each(protocols)('Kinesis over %s', (_name, config) => {
  let client: KinesisClient

  beforeAll(() => {
    client = kinesisClient(local, config())
  })
  afterAll(() => client.destroy())

  async function aStream(shards = 1): Promise<string> {
    const StreamName = `stream-${nextStream++}`
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: shards }))
    return StreamName
  }

  async function readFrom(StreamName: string, ShardId: string) {
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    )
    return client.send(new GetRecordsCommand({ ShardIterator }))
  }

  it('creates, finds and deletes a stream', async () => {
    const StreamName = await aStream(3)
    await waitUntilStreamExists({ client, minDelay: 1, maxWaitTime: 5 }, { StreamName })

    const { StreamDescriptionSummary: summary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName }),
    )
    const { StreamNames } = await client.send(new ListStreamsCommand({ Limit: 1_000 }))

    expect(summary).toMatchObject({
      StreamARN: `arn:aws:kinesis:eu-central-1:000000000000:stream/${StreamName}`,
      OpenShardCount: 3,
      RetentionPeriodHours: 24,
      MaxRecordSizeInKiB: 1_024,
    })
    expect(summary?.StreamCreationTimestamp).toBeInstanceOf(Date)
    expect(StreamNames).toContain(StreamName)
    await client.send(new DeleteStreamCommand({ StreamARN: summary?.StreamARN }))
    await expect(client.send(new DescribeStreamSummaryCommand({ StreamName }))).rejects.toThrow(
      ResourceNotFoundException,
    )
  })

  it('gives back the bytes, keys and times of what was put, in order', async () => {
    const StreamName = await aStream()
    const payloads = [Buffer.from([0, 255, 10, 13]), Buffer.from('zażółć'), Buffer.alloc(0)]
    const before = Date.now()

    for (const [index, Data] of payloads.entries()) {
      await client.send(new PutRecordCommand({ StreamName, PartitionKey: `ключ-${index}`, Data }))
    }
    const { Records = [], MillisBehindLatest } = await readFrom(StreamName, 'shardId-000000000000')

    expect(Records.map(({ Data }) => Buffer.from(Data!))).toEqual(payloads)
    expect(Records.map(({ PartitionKey }) => PartitionKey)).toEqual(['ключ-0', 'ключ-1', 'ключ-2'])
    expect(Records.map(({ SequenceNumber }) => SequenceNumber!.length)).toEqual([56, 56, 56])
    expect(Records.map(({ SequenceNumber }) => SequenceNumber!)).toEqual(
      Records.map(({ SequenceNumber }) => SequenceNumber!).sort(),
    )
    expect(Records[0]!.ApproximateArrivalTimestamp!.getTime()).toBeGreaterThanOrEqual(before)
    expect(MillisBehindLatest).toBe(0)
  })

  it('throttles the records of a shard above 1,000 a second, one by one', async () => {
    const StreamName = await aStream()
    const Records = Array.from({ length: 500 }, () => ({ PartitionKey: 'k', Data: Buffer.from('x') }))

    const results = await Promise.all(
      [1, 2, 3, 4].map(() => client.send(new PutRecordsCommand({ StreamName, Records }))),
    )

    const failed = results.flatMap((result) => result.Records!.filter(({ ErrorCode }) => ErrorCode))
    expect(failed.length).toBeGreaterThan(500)
    expect(failed.length).toBeLessThanOrEqual(1_000)
    expect(results.reduce((sum, { FailedRecordCount = 0 }) => sum + FailedRecordCount, 0)).toBe(failed.length)
    expect(failed[0]).toEqual({
      ErrorCode: 'ProvisionedThroughputExceededException',
      ErrorMessage: `Rate exceeded for shard shardId-000000000000 in stream ${StreamName} under account 000000000000.`,
    })
  })

  it('ends a shard that was split with its children, and keeps reading from them', async () => {
    const StreamName = await aStream()
    await client.send(new PutRecordCommand({ StreamName, PartitionKey: 'a', Data: Buffer.from('1') }))
    await client.send(
      new SplitShardCommand({
        StreamName,
        ShardToSplit: 'shardId-000000000000',
        NewStartingHashKey: String(1n << 127n),
      }),
    )
    const { ShardId } = await client.send(
      new PutRecordCommand({ StreamName, PartitionKey: 'a', Data: Buffer.from('2') }),
    )

    const parent = await readFrom(StreamName, 'shardId-000000000000')
    const child = await readFrom(StreamName, ShardId!)

    expect(parent.Records).toHaveLength(1)
    expect(parent.NextShardIterator).toBeUndefined()
    expect(parent.ChildShards?.map((shard) => [shard.ShardId, shard.ParentShards])).toEqual([
      ['shardId-000000000001', ['shardId-000000000000']],
      ['shardId-000000000002', ['shardId-000000000000']],
    ])
    expect(child.Records!.map(({ Data }) => Buffer.from(Data!).toString())).toEqual(['2'])
    expect(child.Records![0]!.SequenceNumber! > parent.Records![0]!.SequenceNumber!).toBe(true)
  })

  it('pages through the shards of a stream', async () => {
    const StreamName = await aStream(5)
    await client.send(
      new UpdateShardCountCommand({ StreamName, TargetShardCount: 10, ScalingType: 'UNIFORM_SCALING' }),
    )
    const seen: string[] = []
    let NextToken: string | undefined

    do {
      const page = await client.send(
        new ListShardsCommand(
          NextToken === undefined ? { StreamName, MaxResults: 4 } : { NextToken, MaxResults: 4 },
        ),
      )
      seen.push(...page.Shards!.map(({ ShardId }) => ShardId!))
      NextToken = page.NextToken
    } while (NextToken !== undefined)

    expect(seen).toHaveLength(15)
    expect(new Set(seen).size).toBe(15)
    const first = await client.send(new DescribeStreamCommand({ StreamName, Limit: 7 }))
    expect(first.StreamDescription).toMatchObject({ HasMoreShards: true })
    expect(first.StreamDescription!.Shards).toHaveLength(7)
  })
})
