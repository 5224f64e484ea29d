import { KinesisClient } from '@aws-sdk/client-kinesis'
import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { ScriptedTransport } from '../test/scripted-transport.js'
import { type KinesisProducerOptions, resolveKinesisProducerOptions } from './producer-options.js'

const arn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'
const resolve = (options: Partial<KinesisProducerOptions>) =>
  resolveKinesisProducerOptions({ streamName: 'orders', transport: new ScriptedTransport(), ...options })

describe('options', () => {
  it('need no more than a stream', () => {
    const { transport, clock, random, hooks, ...plain } = resolveKinesisProducerOptions({
      streamName: 'orders',
    })
    transport.close()

    expect(plain).toEqual({
      stream: { streamName: 'orders' },
      ordering: 'none',
      onExpired: 'continue',
      lingerMs: 20,
      maxBatchRecords: 500,
      maxBatchBytes: 2 * 1024 * 1024,
      maxRecordBytes: undefined,
      aggregation: undefined,
      producerId: undefined,
      maxInFlightRequests: 8,
      maxBufferedBytes: 64 * 1024 * 1024,
      whenFull: 'wait',
      recordTtlMs: 120_000,
      maxAttempts: Number.POSITIVE_INFINITY,
      backoff: { baseMs: 100, maxMs: 5_000 },
      requestTimeoutMs: 10_000,
      log: undefined,
    })
    expect(clock.now()).toBeGreaterThan(Date.UTC(2024))
    expect(random()).toBeLessThan(1)
    expect(hooks).toEqual({})
  })

  it('take the stream by ARN', () => {
    expect(
      resolveKinesisProducerOptions({ streamArn: arn, transport: new ScriptedTransport() }).stream,
    ).toEqual({
      streamArn: arn,
    })
  })

  it('make room in a request for the largest record', () => {
    expect(resolve({ maxRecordBytes: 10 * 1024 * 1024 }).maxBatchBytes).toBe(10 * 1024 * 1024)
  })

  it('leave the caller’s object as it was, and do not follow its later changes', () => {
    const options = { streamName: 'orders', transport: new ScriptedTransport(), hooks: {} }
    const before = { ...options }
    const resolved = resolveKinesisProducerOptions(options)
    Object.assign(options.hooks, { onBatchSent() {} })

    expect(options).toEqual(before)
    expect(resolved.hooks).toEqual({})
  })

  it.each<[string, Partial<KinesisProducerOptions>, RegExp]>([
    ['streamName', { streamName: '' }, /name of the stream/],
    ['streamName', { streamName: 'a b' }, /"a b"/],
    ['streamName', { streamName: 'a', streamArn: arn }, /not both/],
    ['lingerMs', { lingerMs: -1 }, /-1 cannot be used.*0 to 60000/],
    ['lingerMs', { lingerMs: 0.5 }, /whole number/],
    ['maxBatchRecords', { maxBatchRecords: 501 }, /1 to 500/],
    ['maxBatchRecords', { maxBatchRecords: Number.NaN }, /NaN/],
    ['aggregation.keyBuckets', { aggregation: { keyBuckets: 65 } }, /1 to 64/],
    ['aggregation.maxContainerBytes', { aggregation: { maxContainerBytes: 255 } }, /256 to 1048576/],
    ['tagRecords', { tagRecords: true }, /aggregation to true/],
    ['tagRecords', { tagRecords: 'é', aggregation: true }, /1 to 64 printable/],
    ['maxContainers', { aggregation: { maxContainers: 1 } as object }, /no such option/],
    ['maxBatchBytes', { maxBatchBytes: 11 * 1024 * 1024 }, /10485760/],
    ['maxBatchBytes', { maxBatchBytes: 1_000, maxRecordBytes: 2_000 }, /maxRecordBytes \(2000\) must fit/],
    ['maxRecordBytes', { maxRecordBytes: 0 }, /1 to 10485760/],
    ['maxInFlightRequests', { maxInFlightRequests: 0 }, /1 to 1000/],
    ['maxBufferedBytes', { maxBufferedBytes: 0 }, /from 1/],
    ['recordTtlMs', { recordTtlMs: Number.POSITIVE_INFINITY }, /whole number/],
    ['maxAttempts', { maxAttempts: 0 }, /from 1/],
    ['backoffBaseMs', { backoffBaseMs: 0 }, /from 1/],
    ['backoffMaxMs', { backoffBaseMs: 500, backoffMaxMs: 100 }, /at least backoffBaseMs \(500\)/],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }, /from 1/],
    ['ordering', { ordering: 'strict' as 'none' }, /'none' or 'per-key'/],
    ['whenFull', { whenFull: 'drop' as 'wait' }, /'wait' or 'reject'/],
    ['onExpired', { ordering: 'per-key', onExpired: 'stop' as 'continue' }, /'continue' or 'halt-key'/],
    ['onExpired', { onExpired: 'halt-key' }, /only with ordering: 'per-key'/],
    ['log', { log: { info() {} } as never }, /Pass an object with warn/],
    ['region', { region: 'eu-west-1' }, /no effect beside transport/],
    ['client', { client: new KinesisClient({ region: 'eu-west-1' }) }, /no effect beside transport/],
  ])('refuse %s in %o', (option, options, message) => {
    const attempt = () => resolve(options)

    expect(attempt).toThrow(InvalidOptionError)
    expect(attempt).toThrow(message)
    expect(attempt).toThrow(expect.objectContaining({ option }))
  })

  it.each<[string, KinesisProducerOptions, RegExp]>([
    ['streamName', {}, /undefined cannot be used/],
    ['streamArn', { streamArn: 'arn:aws:sqs:eu-west-1:123456789012:orders' }, /Pass an ARN such as/],
    ['endpoint', { streamName: 'orders', endpoint: 'localhost:4566' }, /Pass a URL such as/],
    ['region', { streamName: 'orders', region: '' }, /Pass a region/],
    [
      'credentials',
      {
        streamName: 'orders',
        client: new KinesisClient({ region: 'eu-west-1' }),
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      },
      /no effect beside client/,
    ],
  ])('refuse %s of %o', (option, options, message) => {
    expect(() => resolveKinesisProducerOptions(options)).toThrow(message)
    expect(() => resolveKinesisProducerOptions(options)).toThrow(expect.objectContaining({ option }))
  })
})
