import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeAggregate } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { DeliveryStreamOptions } from '../src/delivery/delivery-options.js'
import {
  aDelivery,
  aTemporaryFolder,
  cleanUp,
  errorsIn,
  linesOf,
  objectsIn,
  raw,
  readAll,
} from './delivery-fixture.js'
import { aStream, STREAM } from './stream-fixture.js'

afterEach(cleanUp)

describe('a delivery stream', () => {
  it('writes what the transform returns into one compressed object per buffer, named as the service names it', async () => {
    const clock = new ManualClock(Date.UTC(2026, 10, 23, 19, 5, 7))
    const stream = aStream({ shards: 2, clock })
    for (const data of ['a', 'b', 'drop', 'c']) stream.put(`key-${data}`, data)
    clock.advance(3_600_000)
    const { delivery, folder } = await aDelivery(stream.service, { handler: 'transform' })

    await delivery.drain()

    const [object, ...others] = await objectsIn(folder)
    expect(others).toEqual([])
    expect(object!.name).toMatch(
      /^year=2026\/month=11\/day=23\/hour=19\/lake-delivery-1-2026-11-23-19-05-07-[0-9a-f-]{36}\.gz$/,
    )
    expect(object!.text.trimEnd().split('\n').sort()).toEqual(['a', 'b', 'c'])
    expect(delivery.stats()).toMatchObject({
      recordsRead: 4,
      deliveredRecords: 3,
      droppedRecords: 1,
      failedRecords: 0,
      unresolvedRecords: 0,
      objects: 1,
      bufferedBytes: 0,
    })
  })

  it('delivers records as they are without a transform, and without compression where it is told to', async () => {
    const stream = aStream()
    for (const data of ['a\n', 'b', 'c\n']) stream.put('key', data)
    const { delivery, folder } = await aDelivery(stream.service, { compression: 'UNCOMPRESSED' })

    await delivery.drain()

    const [object] = await objectsIn(folder)
    expect(object!.text).toBe('a\nbc\n')
    expect(object!.name).not.toMatch(/\.gz$/)
  })

  it('writes an object when the buffer is full, and one when its time is over', async () => {
    const stream = aStream()
    const { delivery, folder } = await aDelivery(stream.service, {
      bufferBytes: 1_000,
      bufferIntervalMs: 300,
    })
    stream.put('key', 'x'.repeat(600))
    stream.put('key', 'y'.repeat(600))
    stream.put('key', 'z')

    await expect.poll(() => delivery.stats().objects).toBe(2)

    expect((await objectsIn(folder)).map(({ text }) => text.length).sort()).toEqual([1, 1_200])
    expect(delivery.stats().freshnessMs).toBe(0)
  })

  it('hands the transform the documented event', async () => {
    const stream = aStream()
    const { SequenceNumber } = stream.put('key', 'hello')
    const { delivery, folder } = await aDelivery(stream.service, { handler: 'describe' })

    await delivery.drain()

    expect(JSON.parse((await objectsIn(folder))[0]!.text)).toEqual({
      invocationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      deliveryStreamArn: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/lake-delivery',
      sourceKinesisStreamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
      region: 'us-east-1',
      size: 1,
      record: {
        recordId: `${SequenceNumber}000000000000`,
        approximateArrivalTimestamp: expect.any(Number),
        data: 'aGVsbG8=',
        kinesisRecordMetadata: {
          shardId: 'shardId-000000000000',
          partitionKey: 'key',
          approximateArrivalTimestamp: expect.any(Number),
          sequenceNumber: SequenceNumber,
          subsequenceNumber: 0,
        },
      },
    })
  })

  it('invokes the transform with what its buffer holds', async () => {
    const stream = aStream()
    for (let index = 0; index < 10; index += 1) stream.put('key', 'x'.repeat(250))
    const { delivery, folder } = await aDelivery(stream.service, {
      handler: 'weigh',
      transformBufferBytes: 1_000,
    })

    await delivery.drain()

    expect(await linesOf(folder, (line) => line.split(' ')[0])).toEqual([...Array(8).fill('4'), '2', '2'])
  })

  it('invokes the transform with 6 MB of JSON at most, however small the records', async () => {
    const stream = aStream()
    stream.putMany(20_000, () => 'key')
    const { delivery, folder } = await aDelivery(stream.service, {
      handler: 'weigh',
      transformBufferBytes: 3 * 1024 * 1024,
    })

    await delivery.drain()

    expect(delivery.stats()).toMatchObject({ deliveredRecords: 20_000, failedRecords: 0 })
    const weights = new Set(await linesOf(folder, (line) => Number(line.split(' ')[1])))
    expect(weights.size).toBe(2)
    expect(Math.max(...weights)).toBeGreaterThan(5 * 1024 * 1024)
  })

  it('unpacks aggregated records before the transform', async () => {
    const stream = aStream()
    stream.put('key', 'alone')
    stream.put(
      'aggregate',
      encodeAggregate(
        ['x', 'y', 'drop'].map((data) => ({ partitionKey: 'member', data: Buffer.from(data) })),
      ),
    )
    const { delivery, folder } = await aDelivery(stream.service, { handler: 'transform' })

    await delivery.drain()

    expect((await objectsIn(folder))[0]!.text).toBe('alone\nx\ny\n')
    expect(delivery.stats()).toMatchObject({ recordsRead: 2, deliveredRecords: 3, droppedRecords: 1 })
  })

  it('sends what the transform failed, forgot, renamed or garbled to the error prefix, and the rest to the lake', async () => {
    const stream = aStream()
    const bad = ['fail', 'forget', 'rename', 'twice', 'odd-result', 'no-data', 'no-base64']
    for (const data of ['a', ...bad, 'b']) stream.put('key', data)
    const { delivery, folder, transform } = await aDelivery(stream.service, { handler: 'transform' })

    await delivery.drain()

    expect((await objectsIn(folder)).map(({ text }) => text)).toEqual(['a\nb\n'])
    const errors = await errorsIn(folder)
    expect(errors.map((line) => [raw(line), line.errorCode])).toEqual([
      ['fail', 'Lambda.ProcessingFailedStatus'],
      ['forget', 'Lambda.MissingRecordId'],
      ['rename', 'Lambda.MissingRecordId'],
      ['twice', 'Lambda.DuplicatedRecordId'],
      ['odd-result', 'Lambda.InvalidReturnFormat'],
      ['no-data', 'Lambda.InvalidReturnFormat'],
      ['no-base64', 'Lambda.InvalidReturnFormat'],
    ])
    expect(errors[0]).toEqual({
      attemptsMade: 1,
      arrivalTimestamp: expect.any(Number),
      errorCode: 'Lambda.ProcessingFailedStatus',
      errorMessage: 'ProcessingFailed status set for record',
      attemptEndingTimestamp: expect.any(Number),
      rawData: Buffer.from('fail').toString('base64'),
      lambdaArn: transform!.arn,
    })
    const [name] = (await readAll(folder, (path) => path.startsWith('errors/'))).map((object) => object.name)
    expect(name).toMatch(/^errors\/processing-failed\/lake-delivery-1-/)
    expect(delivery.stats()).toMatchObject({ failedRecords: 7, deliveredRecords: 2, unresolvedRecords: 0 })
  })

  it.each(['breakDown', 'inflate'])(
    'gives a batch up after three retries of the invocation (%s)',
    async (handler) => {
      const stream = aStream()
      stream.put('key', 'a')
      stream.put('key', 'b')
      const { delivery, folder, transform } = await aDelivery(stream.service, { handler })

      await delivery.drain()

      expect(transform!.stats().invocations).toBe(4)
      expect(await errorsIn(folder)).toMatchObject([
        { attemptsMade: 4, errorCode: 'Lambda.FunctionError' },
        { attemptsMade: 4, errorCode: 'Lambda.FunctionError' },
      ])
      expect(await objectsIn(folder)).toEqual([])
    },
  )

  it('tries an invocation as often as it is told to', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const { delivery, transform } = await aDelivery(stream.service, {
      handler: 'breakDown',
      transformRetries: 1,
    })

    await delivery.drain()

    expect(transform!.stats().invocations).toBe(2)
  })

  it('begins where it is told to', async () => {
    const clock = new ManualClock(Date.UTC(2026, 10, 23))
    const stream = aStream({ clock })
    stream.put('key', 'before')
    await clock.advance(1_000)
    const { delivery, folder } = await aDelivery(stream.service, {
      startingPosition: { atTimestampMs: clock.now() },
    })
    stream.put('key', 'after')

    await delivery.drain()

    expect((await objectsIn(folder)).map(({ text }) => text)).toEqual(['after'])
  })

  it('goes on with a transform that comes back within its retries', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const { delivery, folder } = await aDelivery(stream.service, {
      handler: 'transform',
      functionOptions: { fault: ({ number }) => (number <= 3 ? 'crash-before' : undefined) },
    })

    await delivery.drain()

    expect((await objectsIn(folder))[0]!.text).toBe('a\n')
    expect(delivery.stats().failedRecords).toBe(0)
  })

  it('takes a response without records for the failure of all', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const { delivery, folder } = await aDelivery(stream.service, { handler: 'nothing' })

    await delivery.drain()

    expect(await errorsIn(folder)).toMatchObject([
      { attemptsMade: 1, errorCode: 'Lambda.InvalidReturnFormat' },
    ])
  })

  it('holds its checkpoint until an object is durable, and writes on when the folder can be written again', async () => {
    const stream = aStream()
    const { SequenceNumber } = stream.put('key', 'a')
    const parent = await aTemporaryFolder()
    const folder = join(parent, 'lake')
    // A file where the folder should be: writing fails for every user, root included.
    await writeFile(folder, '')
    const { delivery } = await aDelivery(stream.service, { folder, bufferIntervalMs: 1 })
    await expect.poll(() => delivery.stats().lastError).toBeDefined()
    expect(delivery.stats()).toMatchObject({ objects: 0, unresolvedRecords: 1 })
    expect(delivery.stats().shards[0]!.checkpoint).toBeUndefined()

    await rm(folder)
    await mkdir(folder)
    await delivery.drain()

    expect(await objectsIn(folder)).toMatchObject([{ text: 'a' }])
    expect(delivery.stats().shards[0]!.checkpoint).toBe(SequenceNumber)
    expect(await readdir(join(folder, '.incomplete'))).toEqual([])
  })

  it('ends a drain that could go on for ever when its signal aborts', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const folder = join(await aTemporaryFolder(), 'lake')
    await writeFile(folder, '')
    const { delivery } = await aDelivery(stream.service, { folder })

    await delivery.drain(AbortSignal.timeout(300))

    expect(delivery.stats()).toMatchObject({ unresolvedRecords: 1, objects: 0 })
  })

  it('goes through all shards of a stream that is split', async () => {
    const stream = aStream()
    stream.putMany(
      100,
      (index) => `key-${index}`,
      (index) => `${index}\n`,
    )
    stream.service.call('UpdateShardCount', {
      StreamName: STREAM,
      TargetShardCount: 2,
      ScalingType: 'UNIFORM_SCALING',
    })
    stream.putMany(
      100,
      (index) => `key-${index}`,
      (index) => `${100 + index}\n`,
    )
    const { delivery, folder } = await aDelivery(stream.service)

    await delivery.drain()

    const lines = (await objectsIn(folder)).flatMap(({ text }) => text.trimEnd().split('\n'))
    expect(lines.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index))
  })

  it('publishes what Firehose publishes for a delivery stream', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const { delivery, host } = await aDelivery(stream.service)

    await delivery.drain()

    const published = Object.fromEntries(host.data.map((datum) => [datum.name, datum]))
    expect(published['DataReadFromKinesisStream.Records']).toMatchObject({
      namespace: 'AWS/Firehose',
      dimensions: { DeliveryStreamName: 'lake-delivery' },
      value: 1,
    })
    expect(published['DeliveryToS3.Records']).toMatchObject({ value: 1 })
    expect(published['DeliveryToS3.Success']).toMatchObject({ value: 1 })
    expect(published['DeliveryToS3.DataFreshness']?.unit).toBe('Seconds')
  })

  it('ends its drain with an error where there is no stream', async () => {
    const { service } = aStream()
    const { delivery } = await aDelivery(service, { streamName: 'none' })

    await expect(delivery.drain()).rejects.toMatchObject({ code: 'ResourceNotFoundException' })
  })

  it('delivers what it had read of a stream that is gone, and ends its drain with an error', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const { delivery, folder } = await aDelivery(stream.service, { handler: 'transform' })
    await expect.poll(() => delivery.stats().recordsRead).toBe(1)
    stream.service.call('DeleteStream', { StreamName: STREAM })

    await expect(delivery.drain()).rejects.toMatchObject({ code: 'ResourceNotFoundException' })

    expect((await objectsIn(folder)).map(({ text }) => text)).toEqual(['a\n'])
    expect(delivery.stats().unresolvedRecords).toBe(0)
  })

  it('refuses options that cannot work', async () => {
    const { service } = aStream()
    await expect(aDelivery(service, { name: 'a b' })).rejects.toThrow(/^name/)
    await expect(aDelivery(service, { folder: 'relative' })).rejects.toThrow(/^folder/)
    await expect(aDelivery(service, { transformRetries: -1 })).rejects.toThrow(/^transformRetries/)
    await expect(aDelivery(service, { bufferBytes: 0 })).rejects.toThrow(/^bufferBytes/)
    await expect(aDelivery(service, { bufferIntervalMs: 900_001 })).rejects.toThrow(/^bufferIntervalMs/)
    await expect(aDelivery(service, { transformBufferBytes: 4 * 1024 * 1024 })).rejects.toThrow(
      /^transformBufferBytes/,
    )
    await expect(aDelivery(service, { prefix: '!{timestamp:yyyy' })).rejects.toThrow(/^prefix/)
    await expect(aDelivery(service, { errorPrefix: '!{timestamp:yyyy}/' })).rejects.toThrow(/^errorPrefix/)
  })

  it.each<[unknown, RegExp]>([
    [{ errorPrefx: 'x/' }, /^errorPrefx: "x\/" .*There is no such option/],
    [{ startingPosition: 'latest' }, /^startingPosition: "latest"/],
    [{ startingPosition: { atTimestampMs: Number.NaN } }, /^startingPosition\.atTimestampMs: NaN/],
    [{ startingPosition: { atTimestampMs: 8e15 } }, /^startingPosition\.atTimestampMs/],
    [{ destination: null }, /^destination: null/],
    [{ destination: 'lake' }, /^destination: "lake"/],
    [{ destination: { put: 7 } }, /^destination\.put: 7/],
    [{ destination: {} }, /^destination\.bucket/],
    [{ prefix: 5 }, /^prefix: 5/],
    [{ errorPrefix: 5 }, /^errorPrefix: 5/],
    [{ transform: {} }, /^transform: an object/],
    [{ transform: null }, /^transform: null/],
    [{ dynamicPartitioning: 'yes' }, /^dynamicPartitioning: "yes"/],
    [{ parquet: null }, /^parquet: null/],
    [{ parquet: { columns: { a: 'int' }, column: 7 } }, /^parquet\.column: 7/],
  ])('refuses options of another kind by their name: %j', async (options, message) => {
    const { service } = aStream()
    await expect(aDelivery(service, options as Partial<DeliveryStreamOptions>)).rejects.toThrow(message)
  })
})
