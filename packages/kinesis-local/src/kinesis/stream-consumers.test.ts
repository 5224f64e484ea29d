import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { KinesisService } from './kinesis-service.js'

interface Consumer {
  ConsumerName: string
  ConsumerARN: string
  ConsumerStatus: string
  ConsumerCreationTimestamp: number
}

const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'

function aStream(streamTransitionMs = 0) {
  const clock = new ManualClock()
  const service = new KinesisService({ clock, streamTransitionMs })
  service.call('CreateStream', { StreamName: 'orders', ShardCount: 1 })
  const call = <T>(operation: string, input: Record<string, unknown>) => service.call(operation, input) as T
  const register = (ConsumerName: string) =>
    call<{ Consumer: Consumer }>('RegisterStreamConsumer', { StreamARN, ConsumerName }).Consumer
  const list = (more: Record<string, unknown> = {}) =>
    call<{ Consumers: Consumer[]; NextToken?: string }>('ListStreamConsumers', { StreamARN, ...more })
  const statusOf = (ConsumerARN: string) =>
    call<{ ConsumerDescription: Consumer }>('DescribeStreamConsumer', { ConsumerARN }).ConsumerDescription
      .ConsumerStatus
  return { clock, call, register, list, statusOf }
}

const refused = (code: string) => expect.objectContaining({ code })

describe('consumers of a stream', () => {
  it('are found by their ARN, and by the name under the ARN of the stream', () => {
    const { call, register } = aStream()
    const consumer = register('fast')

    expect(consumer).toMatchObject({
      ConsumerName: 'fast',
      ConsumerARN: `${StreamARN}/consumer/fast:${consumer.ConsumerCreationTimestamp}`,
      ConsumerStatus: 'ACTIVE',
    })
    const expected = { ConsumerDescription: { ...consumer, StreamARN } }
    const { ConsumerARN } = consumer
    expect(call('DescribeStreamConsumer', { ConsumerARN })).toEqual(expected)
    expect(call('DescribeStreamConsumer', { StreamARN, ConsumerName: 'fast' })).toEqual(expected)
    expect(call('DescribeStreamConsumer', { ConsumerARN, StreamARN, ConsumerName: 'fast' })).toEqual(expected)
  })

  it.each([
    ['neither ARN nor name', {}, 'InvalidArgumentException'],
    ['a name without a stream', { ConsumerName: 'fast' }, 'InvalidArgumentException'],
    ['a name that conflicts', { ConsumerARN: 'its own', ConsumerName: 'slow' }, 'InvalidArgumentException'],
    ['another name', { StreamARN, ConsumerName: 'slow' }, 'ResourceNotFoundException'],
    [
      'an earlier one of its name',
      { ConsumerARN: `${StreamARN}/consumer/fast:1` },
      'ResourceNotFoundException',
    ],
    ['text for an ARN', { ConsumerARN: 'fast' }, 'ValidationException'],
  ])('are not found by %s', (_what, input, code) => {
    const { call, register } = aStream()
    const { ConsumerARN } = register('fast')
    const asked =
      'ConsumerARN' in input && input.ConsumerARN === 'its own' ? { ...input, ConsumerARN } : input

    expect(() => call('DescribeStreamConsumer', asked)).toThrow(refused(code))
    expect(() => call('DeregisterStreamConsumer', asked)).toThrow(refused(code))
  })

  it('have an ARN of their own, also after another of their name within the second', () => {
    const { call, register } = aStream()
    const arns = Array.from({ length: 3 }, () => {
      const { ConsumerARN } = register('fast')
      call('DeregisterStreamConsumer', { ConsumerARN })
      return ConsumerARN
    })

    expect(new Set(arns).size).toBe(3)
    register('fast')
    expect(() => call('DescribeStreamConsumer', { ConsumerARN: arns[0] })).toThrow(
      refused('ResourceNotFoundException'),
    )
  })

  it('are twenty at most, each name once', () => {
    const { call, register } = aStream()
    for (let index = 0; index < 20; index++) register(`consumer-${index}`)

    expect(() => register('consumer-0')).toThrow(refused('ResourceInUseException'))
    expect(() => register('one-more')).toThrow(refused('LimitExceededException'))
    call('DeregisterStreamConsumer', { StreamARN, ConsumerName: 'consumer-0' })
    register('one-more')
  })

  it('are listed in pages, with tokens that expire and belong to the stream', async () => {
    const { clock, call, register, list } = aStream()
    for (const name of ['c', 'a', 'b']) register(name)

    const first = list({ MaxResults: 2 })
    const second = list({ NextToken: first.NextToken })
    expect([first, second].map(({ Consumers }) => Consumers.map(({ ConsumerName }) => ConsumerName))).toEqual(
      [['a', 'b'], ['c']],
    )
    expect(second.NextToken).toBeUndefined()

    call('CreateStream', { StreamName: 'other', ShardCount: 1 })
    const other = StreamARN.replace('orders', 'other')
    expect(() => list({ StreamARN: other, NextToken: first.NextToken })).toThrow('Invalid NextToken')
    expect(() => list({ NextToken: 'nonsense' })).toThrow('Invalid NextToken')
    await clock.advance(300_001)
    expect(() => list({ NextToken: first.NextToken })).toThrow(refused('ExpiredNextTokenException'))
  })

  it('are of the stream that was created then, where the caller says when', async () => {
    const { clock, register, list } = aStream()
    const StreamCreationTimestamp = clock.now() / 1000
    register('fast')

    expect(list({ StreamCreationTimestamp }).Consumers).toHaveLength(1)
    expect(() => list({ StreamCreationTimestamp: StreamCreationTimestamp - 60 })).toThrow(
      refused('ResourceNotFoundException'),
    )
  })

  it('keep their stream from being deleted, unless the caller insists', () => {
    const { call, register } = aStream()
    register('fast')
    expect(call('DescribeStreamSummary', { StreamARN })).toMatchObject({
      StreamDescriptionSummary: { ConsumerCount: 1 },
    })

    expect(() => call('DeleteStream', { StreamARN })).toThrow(refused('ResourceInUseException'))
    call('DeleteStream', { StreamARN, EnforceConsumerDeletion: true })
    expect(() => call('DescribeStreamSummary', { StreamARN })).toThrow(refused('ResourceNotFoundException'))
  })

  it('are CREATING and DELETING for as long as changes take, five of them CREATING at one time', async () => {
    const { clock, call, register, list, statusOf } = aStream(1_000)
    await clock.advance(1_000)
    const { ConsumerARN, ConsumerStatus } = register('fast')
    expect([ConsumerStatus, statusOf(ConsumerARN)]).toEqual(['CREATING', 'CREATING'])
    for (let index = 1; index < 5; index++) register(`consumer-${index}`)
    expect(() => register('sixth')).toThrow(refused('LimitExceededException'))

    await clock.advance(1_000)
    expect(statusOf(ConsumerARN)).toBe('ACTIVE')
    register('sixth')

    call('DeregisterStreamConsumer', { ConsumerARN })
    expect(statusOf(ConsumerARN)).toBe('DELETING')
    await clock.advance(1_000)
    expect(() => statusOf(ConsumerARN)).toThrow(refused('ResourceNotFoundException'))
    expect(list().Consumers).toHaveLength(5)
  })
})
