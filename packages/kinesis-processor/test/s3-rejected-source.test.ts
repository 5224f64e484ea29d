import { gzipSync } from 'node:zlib'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { aRejectedRecord } from '../src/rejected/rejected-fixture.js'
import { envelopeText } from '../src/rejected-record.js'
import { s3RejectedSource } from '../src/s3.js'
import { all } from './rejected-stores.js'
import { startS3 } from './s3-fixture.js'

type S3 = Awaited<ReturnType<typeof startS3>>
const record = (n: number) => aRejectedRecord({ sequenceNumber: String(n) })
const put = ({ client }: S3, key: string, body: string | Buffer) =>
  client.send(new PutObjectCommand({ Bucket: 'kept', Key: key, Body: body }))

describe('a bucket that is read', () => {
  it('gives all records under its prefix in the order of keys and lines, page by page', async () => {
    await using s3 = await startS3()
    await put(s3, 'other/1', envelopeText(record(0)))
    const numbers = [1_000, 1_001, 1_002, 1_003, 1_004]
    const pagesOf = { step: 'initialize', name: 'small pages' } as const
    s3.client.middlewareStack.add((next) => (args) => next({ input: { ...args.input, MaxKeys: 2 } }), pagesOf)
    for (const n of numbers) await put(s3, `rejected/${n}`, envelopeText(record(n)))
    await put(s3, 'rejected/9', gzipSync(`\n${envelopeText(record(8))}\r\n\n${envelopeText(record(9))}`))
    const source = s3RejectedSource({ client: s3.client, bucket: 'kept' })

    const entries = await all(source.entries())

    expect(entries.map((entry) => entry.record?.sequenceNumber)).toEqual([...numbers, 8, 9].map(String))
    expect(entries.at(-1)).toMatchObject({ key: 'rejected/9', line: 4, place: 's3://kept/rejected/9:4' })
    expect(entries.filter(({ error }) => error !== undefined)).toEqual([])
    expect(s3.requests.filter((request) => /^GET \/kept\/?$/.test(request))).toHaveLength(3)
  })

  it('says which objects and lines it cannot read, and reads on', async () => {
    await using s3 = await startS3()
    const whole = gzipSync(envelopeText(record(1)))
    await put(s3, 'rejected/1', whole.subarray(0, whole.length - 10))
    await put(s3, 'rejected/2', gzipSync(Buffer.alloc(65 * 1024 * 1024)))
    await put(
      s3,
      'rejected/3',
      Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(envelopeText(record(3)))]),
    )
    const source = s3RejectedSource({ client: s3.client, bucket: 'kept' })

    const entries = await all(source.entries())

    expect(entries.map(({ place, error }) => [place, error?.message.slice(0, 24)])).toEqual([
      ['s3://kept/rejected/1', 'The object is no gzip of'],
      ['s3://kept/rejected/2', 'The object is no gzip of'],
      ['s3://kept/rejected/3:1', 'The line is no UTF-8 tex'],
      ['s3://kept/rejected/3:2', undefined],
    ])
    expect(await source.remove(entries.slice(0, 3))).toMatchObject(Array(3).fill({ removed: false }))
    expect(await s3.keys()).toHaveLength(3)
  })

  it('takes a record away, and leaves the rest of its object byte for byte', async () => {
    await using s3 = await startS3()
    const lines = [record(1), record(2), record(1)].map(envelopeText)
    await put(s3, 'rejected/1', [lines[0], 'no envelope', ` ${lines[1]}`, lines[2]].join('\n'))
    const source = s3RejectedSource({ client: s3.client, bucket: 'kept' })
    const [first] = await all(source.entries())

    const removals = await source.remove([first!])

    expect(removals).toEqual([{ removed: true }])
    expect((await s3.bytesOf('rejected/1')).toString()).toBe(`no envelope\n ${lines[1]}\n`)
  })

  it('passes over an object that is deleted meanwhile, and need not take it away', async () => {
    await using s3 = await startS3()
    const text = envelopeText(record(1))
    for (const key of ['rejected/1', 'rejected/2']) await put(s3, key, text)
    const source = s3RejectedSource({ client: s3.client, bucket: 'kept' })
    const entries = []

    for await (const entry of source.entries()) {
      entries.push(entry)
      const removals = await s3RejectedSource({
        client: s3.client,
        bucket: 'kept',
        prefix: 'rejected/',
      }).remove([{ ...entry, key: 'rejected/2' }])
      expect(removals).toEqual([{ removed: true }])
    }

    expect(entries.map(({ key }) => key)).toEqual(['rejected/1'])
    expect(await source.remove([{ ...entries[0]!, key: 'rejected/2' }])).toEqual([{ removed: true }])
  })

  it('gives up on an answer that does not come', async () => {
    await using s3 = await startS3(({ method, path }) =>
      method === 'GET' && /^\/kept\/?$/.test(path) ? 'stall' : undefined,
    )
    const source = s3RejectedSource({ client: s3.client, bucket: 'kept', requestTimeoutMs: 100 })

    await expect(all(source.entries())).rejects.toThrow('S3 gave no answer in 100 ms.')
  })

  it.each<[string, object]>([
    ['client', { client: undefined }],
    ['bucket', { bucket: '' }],
    ['prefix', { prefix: 7 }],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }],
    ['clock', { clock: {} }],
    ['gzip', { gzip: true }],
  ])('fails when it is built with options that cannot work: %s', (option, wrong) => {
    const build = () => s3RejectedSource({ client: { send() {} }, bucket: 'kept', ...wrong } as never)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })
})
