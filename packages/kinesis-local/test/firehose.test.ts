import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  CreateDeliveryStreamCommand,
  type CreateDeliveryStreamCommandInput,
  DeleteDeliveryStreamCommand,
  DescribeDeliveryStreamCommand,
  type ExtendedS3DestinationConfiguration,
  FirehoseClient,
  ListDeliveryStreamsCommand,
  ListTagsForDeliveryStreamCommand,
  PutRecordBatchCommand,
  PutRecordCommand,
  TagDeliveryStreamCommand,
  UntagDeliveryStreamCommand,
  UpdateDestinationCommand,
} from '@aws-sdk/client-firehose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { readAll } from './delivery-fixture.js'
import { connection } from './support/clients.js'

const handlers = fileURLToPath(new URL('./delivery-handlers.mjs', import.meta.url))
const RoleARN = 'arn:aws:iam::000000000000:role/firehose'
let local: Local
let client: FirehoseClient
let next = 1
const warnings: string[] = []

beforeAll(async () => {
  local = await startLocal({
    streams: [{ name: 'orders' }],
    onWarning: (message) => warnings.push(message),
  })
  local.createFunction({ name: 'transform', file: handlers, exportName: 'transform' })
  client = new FirehoseClient(connection(local))
})
afterAll(async () => {
  client.destroy()
  await local.close()
})

/** A delivery stream with a bucket of its own. */
async function aStream(
  destination: Partial<ExtendedS3DestinationConfiguration> = {},
  more: Partial<CreateDeliveryStreamCommandInput> = {},
) {
  const DeliveryStreamName = `delivery-${next++}`
  const bucket = `bucket-${DeliveryStreamName}`
  const { DeliveryStreamARN } = await client.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName,
      ExtendedS3DestinationConfiguration: { RoleARN, BucketARN: `arn:aws:s3:::${bucket}`, ...destination },
      ...more,
    }),
  )
  const put = (...data: (string | Uint8Array)[]) =>
    client.send(
      new PutRecordBatchCommand({
        DeliveryStreamName,
        Records: data.map((one) => ({ Data: typeof one === 'string' ? Buffer.from(one) : one })),
      }),
    )
  const folder = join(local.dataDir, 'buckets', bucket)
  return {
    DeliveryStreamName,
    DeliveryStreamARN,
    bucket,
    folder,
    put,
    objects: () => readAll(folder, () => true),
  }
}

const lambda = (...parameters: [string, string][]) => ({
  Enabled: true,
  Processors: [
    {
      Type: 'Lambda' as const,
      Parameters: [
        ['LambdaArn', 'arn:aws:lambda:us-east-1:000000000000:function:transform:$LATEST'],
        ...parameters,
      ].map(([ParameterName, ParameterValue]) => ({
        ParameterName: ParameterName as 'LambdaArn',
        ParameterValue,
      })),
    },
  ],
})

describe('Firehose', () => {
  it('delivers what is put to it into objects of the bucket', async () => {
    const { DeliveryStreamName, put, objects } = await aStream({ Prefix: 'raw/' })

    const { RecordId } = await client.send(
      new PutRecordCommand({ DeliveryStreamName, Record: { Data: Buffer.from('a\n') } }),
    )
    const { FailedPutCount, RequestResponses } = await put('b\n', 'c\n')
    await local.firehose.flush(DeliveryStreamName)

    expect(RecordId).toBeTruthy()
    expect(FailedPutCount).toBe(0)
    expect(new Set(RequestResponses?.map((one) => one.RecordId)).size).toBe(2)
    const [object, ...others] = await objects()
    expect(others).toEqual([])
    expect(object!.text).toBe('a\nb\nc\n')
    expect(object!.name).toMatch(new RegExp(`^raw/\\d{4}/\\d\\d/\\d\\d/\\d\\d/${DeliveryStreamName}-1-`))
  })

  it('transforms records with the function that its processor names, and compresses them', async () => {
    const { DeliveryStreamName, put, objects } = await aStream({
      CompressionFormat: 'GZIP',
      ProcessingConfiguration: lambda(['BufferIntervalInSeconds', '60']),
    })

    await put('a', 'drop', 'fail')
    await local.firehose.flush(DeliveryStreamName)

    const found = await objects()
    expect(found.find(({ name }) => name.endsWith('.gz'))?.text).toBe('a\n')
    const failed = found.find(({ name }) => name.startsWith('processing-failed/'))
    expect(JSON.parse(failed!.text)).toMatchObject({ errorCode: 'Lambda.ProcessingFailedStatus' })
  })

  it('hands a transform of records put directly no metadata of Kinesis', async () => {
    local.createFunction({ name: 'describe', file: handlers, exportName: 'describe' })
    const { DeliveryStreamName, DeliveryStreamARN, put, objects } = await aStream({
      ProcessingConfiguration: lambda([
        'LambdaArn',
        'arn:aws:lambda:us-east-1:000000000000:function:describe',
      ]),
    })

    await put('a')
    await local.firehose.flush(DeliveryStreamName)

    expect(JSON.parse((await objects())[0]!.text)).toEqual({
      invocationId: expect.any(String),
      deliveryStreamArn: DeliveryStreamARN,
      region: 'us-east-1',
      size: 1,
      record: { recordId: expect.any(String), approximateArrivalTimestamp: expect.any(Number), data: 'YQ==' },
    })
  })

  it('reads a Kinesis stream from the moment it is made', async () => {
    const put = (data: string) =>
      local.kinesis.call('PutRecord', { StreamName: 'orders', PartitionKey: 'a', Data: Buffer.from(data) })
    await put('before')
    await new Promise((resolve) => setTimeout(resolve, 5))
    const { DeliveryStreamName, objects } = await aStream(
      { BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 } },
      {
        DeliveryStreamType: 'KinesisStreamAsSource',
        KinesisStreamSourceConfiguration: {
          RoleARN,
          KinesisStreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
        },
      },
    )
    await put('after')

    await expect
      .poll(async () => (await objects()).map(({ text }) => text), { timeout: 10_000 })
      .toEqual(['after'])
    await expect(
      client.send(new PutRecordCommand({ DeliveryStreamName, Record: { Data: Buffer.from('a') } })),
    ).rejects.toThrow('not permitted on KinesisStreamAsSource')
    const { DeliveryStreamDescription } = await client.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName }),
    )
    expect(DeliveryStreamDescription).toMatchObject({
      DeliveryStreamStatus: 'ACTIVE',
      DeliveryStreamType: 'KinesisStreamAsSource',
      Source: {
        KinesisStreamSourceDescription: { KinesisStreamARN: expect.stringContaining('stream/orders') },
      },
      Destinations: [
        { ExtendedS3DestinationDescription: { BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 } } },
      ],
    })
  })

  it('lists, describes, tags and deletes', async () => {
    const { DeliveryStreamName, DeliveryStreamARN, bucket } = await aStream(
      {},
      { Tags: [{ Key: 'a', Value: '1' }] },
    )
    await client.send(new TagDeliveryStreamCommand({ DeliveryStreamName, Tags: [{ Key: 'b', Value: '2' }] }))
    await client.send(new UntagDeliveryStreamCommand({ DeliveryStreamName, TagKeys: ['a'] }))

    const { DeliveryStreamDescription } = await client.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName }),
    )
    expect(DeliveryStreamDescription).toMatchObject({
      DeliveryStreamARN,
      VersionId: '1',
      Destinations: [{ ExtendedS3DestinationDescription: { BucketARN: `arn:aws:s3:::${bucket}`, RoleARN } }],
    })
    const { Tags } = await client.send(new ListTagsForDeliveryStreamCommand({ DeliveryStreamName }))
    expect(Tags).toEqual([{ Key: 'b', Value: '2' }])
    const list = async () =>
      (await client.send(new ListDeliveryStreamsCommand({ Limit: 100 }))).DeliveryStreamNames
    expect(await list()).toContain(DeliveryStreamName)
    await client.send(new DeleteDeliveryStreamCommand({ DeliveryStreamName }))
    expect(await list()).not.toContain(DeliveryStreamName)
    await expect(
      client.send(new DescribeDeliveryStreamCommand({ DeliveryStreamName })),
    ).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })

  it('takes another destination, whose objects have its version', async () => {
    const { DeliveryStreamName, put, objects } = await aStream({
      Prefix: 'before/',
      CompressionFormat: 'GZIP',
    })
    const update = (CurrentDeliveryStreamVersionId: string, Prefix: string) =>
      client.send(
        new UpdateDestinationCommand({
          DeliveryStreamName,
          CurrentDeliveryStreamVersionId,
          DestinationId: 'destinationId-000000000001',
          ExtendedS3DestinationUpdate: { Prefix },
        }),
      )
    await put('old')
    await update('1', 'after/')
    await put('new')
    await local.firehose.flush(DeliveryStreamName)

    await expect
      .poll(async () => (await objects()).map(({ name, text }) => [name.split('/')[0], text]))
      .toEqual([
        ['after', 'new'],
        ['before', 'old'],
      ])
    expect((await objects())[0]!.name).toMatch(new RegExp(`/${DeliveryStreamName}-2-.*\\.gz$`))
    await expect(update('1', 'again/')).rejects.toMatchObject({ name: 'ConcurrentModificationException' })
    await expect(update('2', '!{nothing:x}/')).rejects.toMatchObject({ name: 'InvalidArgumentException' })
    const { DeliveryStreamDescription } = await client.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName }),
    )
    expect(DeliveryStreamDescription).toMatchObject({
      VersionId: '2',
      Destinations: [{ ExtendedS3DestinationDescription: { Prefix: 'after/', CompressionFormat: 'GZIP' } }],
    })
  })

  it('takes another destination where its stream is gone, and writes what it had', async () => {
    const StreamName = 'gone'
    local.kinesis.call('CreateStream', { StreamName, ShardCount: 1 })
    const { DeliveryStreamName, objects } = await aStream(
      { Prefix: 'before/', BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 900 } },
      {
        DeliveryStreamType: 'KinesisStreamAsSource',
        KinesisStreamSourceConfiguration: {
          RoleARN,
          KinesisStreamARN: `arn:aws:kinesis:us-east-1:000000000000:stream/${StreamName}`,
        },
      },
    )
    await local.kinesis.call('PutRecord', { StreamName, PartitionKey: 'a', Data: Buffer.from('held') })
    // Polled once a second.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    local.kinesis.call('DeleteStream', { StreamName })

    await client.send(
      new UpdateDestinationCommand({
        DeliveryStreamName,
        CurrentDeliveryStreamVersionId: '1',
        DestinationId: 'destinationId-000000000001',
        ExtendedS3DestinationUpdate: { Prefix: 'after/' },
      }),
    )

    await expect
      .poll(async () => (await objects()).map(({ name, text }) => [name.split('/')[0], text]), {
        timeout: 10_000,
      })
      .toEqual([['before', 'held']])
  })

  it('goes on with a stream where it was when its destination changes', async () => {
    const put = (data: string) =>
      local.kinesis.call('PutRecord', { StreamName: 'orders', PartitionKey: 'a', Data: Buffer.from(data) })
    const { DeliveryStreamName, objects } = await aStream(
      { Prefix: 'before/', BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 900 } },
      {
        DeliveryStreamType: 'KinesisStreamAsSource',
        KinesisStreamSourceConfiguration: {
          RoleARN,
          KinesisStreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
        },
      },
    )
    await put('1')
    await new Promise((resolve) => setTimeout(resolve, 5))
    await client.send(
      new UpdateDestinationCommand({
        DeliveryStreamName,
        CurrentDeliveryStreamVersionId: '1',
        DestinationId: 'destinationId-000000000001',
        ExtendedS3DestinationUpdate: {
          Prefix: 'after/',
          BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 },
        },
      }),
    )
    await put('2')

    await expect
      .poll(async () => (await objects()).map(({ name, text }) => [name.split('/')[0], text]), {
        timeout: 10_000,
      })
      .toEqual(
        expect.arrayContaining([
          ['after', '2'],
          ['before', expect.stringContaining('1')],
        ]),
      )
  })

  it('counts what comes in, and what was delivered', async () => {
    const { DeliveryStreamName, put } = await aStream()
    await put('abc', 'de')
    await local.firehose.flush(DeliveryStreamName)

    const sum = (metric: string) => {
      const series = local.metrics.series('AWS/Firehose', metric, { DeliveryStreamName })!
      return local.metrics.query(series, 0, Number.MAX_SAFE_INTEGER, 86_400)[0]?.values.sum
    }
    expect(sum('IncomingRecords')).toBe(2)
    expect(sum('IncomingBytes')).toBe(5)
    expect(sum('DeliveryToS3.Records')).toBe(2)
    expect(sum('DeliveryToS3.Success')).toBe(1)
    expect(sum('DeliveryToS3.DataFreshness')).toBeGreaterThanOrEqual(0)
  })

  it('takes 1,000 KiB in a record, 500 records and 4 MiB in a batch, and no more', async () => {
    const { DeliveryStreamName, put } = await aStream()
    const kibibytes = (count: number) => new Uint8Array(count * 1024)
    const putOne = (Data: Uint8Array) =>
      client.send(new PutRecordCommand({ DeliveryStreamName, Record: { Data } }))

    await putOne(kibibytes(1_000))
    await put(...Array<string>(500).fill('a'))
    await put(...Array<Uint8Array>(4).fill(kibibytes(1_000)), kibibytes(96))
    const tooMuch = { name: 'InvalidArgumentException' }
    await expect(putOne(new Uint8Array(1_000 * 1024 + 1))).rejects.toMatchObject(tooMuch)
    await expect(put(...Array<string>(501).fill('a'))).rejects.toMatchObject(tooMuch)
    await expect(put(...Array<Uint8Array>(4).fill(kibibytes(1_000)), kibibytes(97))).rejects.toMatchObject(
      tooMuch,
    )
    await expect(put()).rejects.toMatchObject(tooMuch)
  })

  it('warns once of a bucket that takes nothing, and again when it had taken something', async () => {
    const { DeliveryStreamName, put, folder, objects } = await aStream({
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 },
    })
    const heard = () => warnings.filter((message) => message.includes(DeliveryStreamName))
    // A file where the bucket should be.
    await writeFile(folder, '')
    await put('a')
    await expect.poll(heard).toHaveLength(1)
    expect(heard()[0]).toMatch(/fails, and tries again: Error: E[A-Z]+: /)
    // It is tried again, more than once.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(heard()).toHaveLength(1)

    await rm(folder)
    await expect
      .poll(async () => (await objects()).map(({ text }) => text), { timeout: 10_000 })
      .toEqual(['a'])
    await rm(folder, { recursive: true })
    await writeFile(folder, '')
    await put('b')
    await expect.poll(heard).toHaveLength(2)
  })

  it('fails records one by one when nothing can be delivered and memory is full', async () => {
    const { DeliveryStreamName, put, folder } = await aStream({
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 },
    })
    // A file where the bucket should be.
    await writeFile(folder, '')
    const batch = () => put(...Array<Uint8Array>(3).fill(new Uint8Array(1_000 * 1024)))
    let failed = 0
    for (let count = 0; failed === 0 && count < 20; count += 1) {
      const { FailedPutCount, RequestResponses } = await batch()
      failed = FailedPutCount!
      const errors = RequestResponses?.filter(({ ErrorCode }) => ErrorCode !== undefined)
      expect(errors).toHaveLength(failed)
    }

    expect(failed).toBeGreaterThan(0)
    expect((await batch()).RequestResponses![0]).toEqual({
      ErrorCode: 'ServiceUnavailableException',
      ErrorMessage: 'Slow down.',
    })
    await expect(
      client.send(new PutRecordCommand({ DeliveryStreamName, Record: { Data: Buffer.from('a') } })),
    ).rejects.toMatchObject({ name: 'ServiceUnavailableException' })
  })

  it.each([
    ['a bucket that is none', { BucketARN: 'lake' }, /BucketARN/],
    [
      'an expression that is none',
      { Prefix: '!{nothing:x}/', ErrorOutputPrefix: 'e/' },
      /prefix: .*no expression/,
    ],
    ['expressions and no error prefix', { Prefix: '!{timestamp:yyyy}/' }, /ErrorOutputPrefix cannot be null/],
    [
      'a function that is not there',
      {
        ProcessingConfiguration: lambda(['LambdaArn', 'arn:aws:lambda:us-east-1:000000000000:function:none']),
      },
      /no function none/,
    ],
    [
      'another processor',
      { ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'MetadataExtraction' as const }] } },
      /one processor of Type Lambda/,
    ],
    ['compression that is not here', { CompressionFormat: 'Snappy' as const }, /Snappy is not supported/],
    [
      'conversion by a catalog',
      { DataFormatConversionConfiguration: { Enabled: true } },
      /names a table of a catalog/,
    ],
    [
      'a buffer out of range',
      { BufferingHints: { SizeInMBs: 129 } },
      /SizeInMBs must be a whole number from 1 to 128/,
    ],
    [
      'small buffers for partitions',
      {
        DynamicPartitioningConfiguration: { Enabled: true },
        Prefix: '!{partitionKeyFromLambda:a}/',
        ErrorOutputPrefix: 'e/!{firehose:error-output-type}/',
        BufferingHints: { SizeInMBs: 5 },
      },
      /from 64 to 128/,
    ],
    ['a time zone that is none', { CustomTimeZone: 'Mars/Olympus' }, /timeZone/],
  ])('refuses %s, with the reason', async (_, destination, reason) => {
    const refused = aStream(destination as Partial<ExtendedS3DestinationConfiguration>)
    await expect(refused).rejects.toThrow(reason)
    await expect(refused).rejects.toMatchObject({ name: 'InvalidArgumentException' })
  })

  it('refuses other sources and destinations, and a name twice', async () => {
    const { DeliveryStreamName } = await aStream()
    const create = (input: Partial<CreateDeliveryStreamCommandInput>) => aStream({}, input)

    await expect(create({ DeliveryStreamName })).rejects.toMatchObject({ name: 'ResourceInUseException' })
    await expect(create({ DeliveryStreamType: 'MSKAsSource' })).rejects.toThrow(
      'MSKAsSource is not supported',
    )
    await expect(create({ ExtendedS3DestinationConfiguration: undefined })).rejects.toThrow(
      'other destinations',
    )
    await expect(
      create({
        DeliveryStreamType: 'KinesisStreamAsSource',
        KinesisStreamSourceConfiguration: { RoleARN, KinesisStreamARN: 'orders' },
      }),
    ).rejects.toThrow('no ARN of a stream')
  })
})
