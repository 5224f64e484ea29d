import { gunzipSync } from 'node:zlib'
import { HeadObjectCommand } from '@aws-sdk/client-s3'
import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { parseRejectedRecord } from '../src/rejected/parse-rejected-record.js'
import { aRejectedRecord } from '../src/rejected/rejected-fixture.js'
import type { RejectedRecord } from '../src/rejected-record.js'
import { type S3RejectedSinkOptions, s3RejectedSink } from '../src/s3.js'
import { startS3 } from './s3-fixture.js'

type S3 = Awaited<ReturnType<typeof startS3>>
const time = { remainingMs: () => 60_000 }
const arrivalMs = Date.UTC(2026, 10, 24, 23, 59, 59)
const records = (...sequenceNumbers: number[]): RejectedRecord[] =>
  sequenceNumbers.map((n) => aRejectedRecord({ sequenceNumber: String(n), arrivalMs }))
const sinkOf = ({ client }: S3, options: Partial<S3RejectedSinkOptions> = {}) =>
  s3RejectedSink({ client, bucket: 'kept', ...options })
const stored = (results: readonly { stored: boolean }[]) => results.map((result) => result.stored)
const sequencesIn = async (s3: S3, key: string) =>
  (await s3.linesOf(key)).map((line) => parseRejectedRecord(line).sequenceNumber)

describe('a bucket for rejected records', () => {
  it('gets one object a write, a record a line, at a place that tells stream, day, shard and first record', async () => {
    await using s3 = await startS3()

    const results = await sinkOf(s3).write(records(5, 7, 9), time)

    expect(stored(results)).toEqual([true, true, true])
    const [key, ...others] = await s3.keys()
    expect(others).toEqual([])
    expect(key).toMatch(/^rejected\/orders\/2026\/11\/24\/shardId-000000000000\/5-0-[0-9a-f]{16}\.ndjson$/)
    expect((await s3.linesOf(key!)).map(parseRejectedRecord)).toEqual(records(5, 7, 9))
    const { ContentType } = await s3.client.send(new HeadObjectCommand({ Bucket: 'kept', Key: key! }))
    expect(ContentType).toBe('application/x-ndjson')
  })

  it('holds what a retry rejects again only once', async () => {
    await using s3 = await startS3()

    await sinkOf(s3).write(records(5, 7, 9), time)
    const later = records(5, 7, 9).map((record) => ({ ...record, rejectedTime: '2026-11-25T08:00:00.000Z' }))
    await sinkOf(s3).write(later, time)

    const [key, ...others] = await s3.keys()
    expect(others).toEqual([])
    expect((await s3.linesOf(key!)).map(parseRejectedRecord)).toEqual(later)
  })

  it('loses nothing to a retry that rejects fewer records, or more', async () => {
    await using s3 = await startS3()

    await sinkOf(s3).write(records(5, 7, 9), time)
    await sinkOf(s3).write(records(5), time)
    await sinkOf(s3).write(records(5, 7, 9, 11), time)

    const found = await Promise.all((await s3.keys()).map((key) => sequencesIn(s3, key)))
    expect(found).toHaveLength(3)
    expect(found).toEqual(expect.arrayContaining([['5'], ['5', '7', '9'], ['5', '7', '9', '11']]))
  })

  it('loses nothing to the late request of an attempt that was given up', async () => {
    await using s3 = await startS3()
    const held: (() => Promise<unknown>)[] = []
    const send = s3.client.send.bind(s3.client)
    // The first request reaches the service after everything else.
    const late = {
      send: (command: never) =>
        new Promise((_, reject) => {
          held.push(() => send(command))
          reject(new Error('timed out'))
        }),
    }

    expect(stored(await sinkOf(s3, { client: late as never }).write(records(5), time))).toEqual([false])
    expect(stored(await sinkOf(s3).write(records(5, 7), time))).toEqual([true, true])
    await held[0]!()

    const found = await Promise.all((await s3.keys()).map((key) => sequencesIn(s3, key)))
    expect(found).toContainEqual(['5', '7'])
  })

  it('compresses where it is told to', async () => {
    await using s3 = await startS3()

    await sinkOf(s3, { gzip: true, prefix: 'bad/' }).write(records(5, 7), time)

    const [key] = await s3.keys()
    expect(key).toMatch(/^bad\/orders\/.*\.ndjson\.gz$/)
    const lines = gunzipSync(await s3.bytesOf(key!))
      .toString()
      .trimEnd()
      .split('\n')
    expect(lines.map(parseRejectedRecord)).toEqual(records(5, 7))
  })

  it('keeps shards apart, and objects within their size', async () => {
    await using s3 = await startS3()
    const other = { shardId: 'shardId-000000000001' }
    const list = [1, 2, 3, 4].map((n) =>
      aRejectedRecord({ sequenceNumber: String(n), data: Buffer.alloc(3_000, n), ...(n === 2 ? other : {}) }),
    )

    const results = await sinkOf(s3, { maxObjectBytes: 10_000 }).write(list, time)

    expect(stored(results)).toEqual([true, true, true, true])
    const found = await Promise.all((await s3.keys()).map((key) => sequencesIn(s3, key)))
    expect(found).toEqual([['1', '3'], ['4'], ['2']])
  })

  it('holds a record that is larger than an object should be, alone', async () => {
    await using s3 = await startS3()
    // The most that the emulator takes; S3 takes 5 GB.
    const large = aRejectedRecord({ sequenceNumber: '2', data: Buffer.alloc(7 * 1024 * 1024, 0xff) })

    const results = await sinkOf(s3, { maxObjectBytes: 1_000 }).write([...records(1), large], time)

    expect(stored(results)).toEqual([true, true])
    const key = (await s3.keys()).find((found) => found.includes('/2-0-'))
    expect((await s3.linesOf(key!)).map(parseRejectedRecord)).toEqual([large])
  })

  it('lays out no folders that an event names', async () => {
    await using s3 = await startS3()
    const odd = aRejectedRecord({ streamName: '../a/b\n', shardId: 'x'.repeat(5_000), arrivalMs: 1e300 })

    expect(stored(await sinkOf(s3).write([odd], time))).toEqual([true])

    expect(await s3.keys()).toEqual([
      expect.stringMatching(/^rejected\/\.\._a_b_\/undated\/x{128}\/1-0-[0-9a-f]{16}\.ndjson$/),
    ])
  })

  it.each(['error503', 'reset-after'] as const)(
    'leaves the records of a request unresolved that failed: %s',
    async (fault) => {
      await using s3 = await startS3(({ number }) => (number === 2 ? fault : undefined))
      const sink = sinkOf(s3, { maxObjectBytes: 1 })

      const first = await sink.write(records(1, 2, 3), time)
      expect(s3.requests).toHaveLength(2)
      const retry = await sink.write(records(2, 3), time)

      expect(stored(first)).toEqual([true, false, false])
      expect(first[2]).toMatchObject({ error: { message: expect.stringContaining('was not tried') } })
      expect(stored(retry)).toEqual([true, true])
      expect(await s3.keys()).toHaveLength(3)
    },
  )

  it('gives up on an answer that does not come, and starts nothing when the time is over', async () => {
    await using s3 = await startS3(() => 'stall')

    const late = await sinkOf(s3, { requestTimeoutMs: 100 }).write(records(1), time)
    const short = await sinkOf(s3).write(records(1), { remainingMs: () => 100 })
    const over = await sinkOf(s3).write(records(2), { remainingMs: () => 0 })

    expect(late).toMatchObject([{ stored: false, error: { message: 'S3 gave no answer in 100 ms.' } }])
    expect(short).toMatchObject([{ stored: false, error: { message: 'S3 gave no answer in 100 ms.' } }])
    expect(stored(over)).toEqual([false])
    expect(s3.requests).toHaveLength(2)
  })

  it('fails where there is no such bucket', async () => {
    await using s3 = await startS3()

    const results = await sinkOf(s3, { bucket: 'missing' }).write(records(1), time)

    expect(results).toMatchObject([{ stored: false, error: { name: 'NoSuchBucket' } }])
  })

  it.each<[string, object]>([
    ['client', { client: undefined }],
    ['bucket', { bucket: '' }],
    ['prefix', { prefix: 'x'.repeat(600) }],
    ['gzip', { gzip: 'yes' }],
    ['maxObjectBytes', { maxObjectBytes: 100 * 1024 * 1024 }],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }],
    ['clock', { clock: {} }],
    ['region', { region: 'x' }],
  ])('fails when it is built with options that cannot work: %s', (option, wrong) => {
    const build = () => s3RejectedSink({ client: { send() {} }, bucket: 'kept', ...wrong } as never)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })
})
