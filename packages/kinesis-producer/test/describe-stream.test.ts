import { describe, expect, it, vi } from 'vitest'
import type { AwsSdkTransport } from '../src/aws-sdk-transport.js'
import { answer } from './http-sink.js'
import { aService, aSink, aTransport, failure } from './transport-under-test.js'

describe('the description of a stream', () => {
  const describeOrders = (transport: AwsSdkTransport, streamName = 'orders') =>
    transport.describeStream({ streamName }, new AbortController().signal)

  it('says how long its records may be, and that they go by their keys', async () => {
    const local = await aService()
    const transport = aTransport(local.url)
    expect(await describeOrders(transport)).toEqual({
      maxRecordBytes: 1_048_576,
      recordDistribution: 'keyed',
    })

    const StreamARN = `arn:aws:kinesis:us-east-1:${local.accountId}:stream/orders`
    await local.kinesis.call('UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: 10_240 })
    expect(await describeOrders(transport)).toMatchObject({ maxRecordBytes: 10_485_760 })
  })

  it('says that the service distributes the records', async () => {
    const local = await aService()
    const transport = aTransport(local.url)
    await local.kinesis.call('CreateStream', {
      StreamName: 'spread',
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    })
    await vi.waitFor(async () => {
      expect(await describeOrders(transport, 'spread')).toMatchObject({ recordDistribution: 'keyed' })
      await local.kinesis.call('UpdateStreamRecordDistributionStrategy', {
        StreamARN: `arn:aws:kinesis:us-east-1:${local.accountId}:stream/spread`,
        RecordDistributionStrategy: 'AUTO',
      })
    })

    expect(await describeOrders(transport, 'spread')).toMatchObject({ recordDistribution: 'auto' })
  })

  it.each([
    ['nothing', {}],
    ['no mode', { StreamDescriptionSummary: {} }],
    ['no strategy', { StreamDescriptionSummary: { StreamModeDetails: { StreamMode: 'ON_DEMAND' } } }],
    ['another strategy', { StreamDescriptionSummary: { RecordDistributionStrategy: 'RANDOM' } }],
  ])('is unknown where the service says %s', async (_, output) => {
    const sink = await aSink((_, response) => answer(response, JSON.stringify(output)))

    expect(await describeOrders(aTransport(sink.url))).toEqual({
      maxRecordBytes: undefined,
      recordDistribution: undefined,
    })
  })

  it('names the permission that it lacks', async () => {
    const sink = await aSink((_, response) =>
      answer(response, '{"__type":"AccessDeniedException","Message":"not authorized"}', 400),
    )

    const fault = await failure(describeOrders(aTransport(sink.url)))
    expect(fault.message).toContain('Allow kinesis:DescribeStreamSummary on the stream.')
  })
})
