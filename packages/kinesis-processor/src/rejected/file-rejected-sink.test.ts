import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RejectedRecord, rejectedRecord } from '../rejected-record.js'
import { fileRejectedSink } from './file-rejected-sink.js'

const rejected = (sequenceNumber: string): RejectedRecord =>
  rejectedRecord(
    {
      position: {
        streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
        streamName: 'orders',
        shardId: 'shardId-000000000000',
        sequenceNumber,
        subSequenceNumber: 0,
        partitionKey: 'line\nbreak',
        arrivalMs: 0,
      },
      data: Buffer.from('x'),
      fault: undefined,
    },
    { error: new Error('two\nlines'), reasonCode: 'invalid' },
    0,
  )
const time = { remainingMs: () => 1_000 }

describe('a file for rejected records', () => {
  let root: string
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'kinesis-processor-'))
  })
  afterEach(() => rm(root, { recursive: true }))
  const lines = async (folder: string) =>
    (await readFile(join(folder, 'rejected.ndjson'), 'utf8')).split('\n').filter((line) => line !== '')

  it('is made where it is missing, and holds one record a line', async () => {
    const folder = join(root, 'deep', 'er')
    const sink = fileRejectedSink({ folder })

    expect(await sink.write([rejected('1'), rejected('2')], time)).toEqual([
      { stored: true },
      { stored: true },
    ])
    await fileRejectedSink({ folder }).write([rejected('3')], time)

    expect((await lines(folder)).map((line) => JSON.parse(line))).toEqual(['1', '2', '3'].map(rejected))
  })

  it('keeps lines whole when writes overlap', async () => {
    const sink = fileRejectedSink({ folder: root })

    await Promise.all(
      Array.from({ length: 20 }, (_, n) => sink.write([rejected(`${n}`), rejected(`${n}`)], time)),
    )

    const found = (await lines(root)).map((line) => (JSON.parse(line) as RejectedRecord).sequenceNumber)
    expect(found).toEqual(Array.from({ length: 40 }, (_, n) => String(n >> 1)))
  })

  it('ends a line that a crash left torn, so that the next record is whole', async () => {
    await writeFile(join(root, 'rejected.ndjson'), '')
    await appendFile(join(root, 'rejected.ndjson'), '{"version":1,"strea')

    await fileRejectedSink({ folder: root }).write([rejected('1')], time)

    const [torn, whole] = await lines(root)
    expect(torn).toBe('{"version":1,"strea')
    expect(JSON.parse(whole!)).toEqual(rejected('1'))
  })

  it('fails where it cannot be written, and works again afterwards', async () => {
    const folder = join(root, 'taken')
    await writeFile(folder, 'a file, not a folder')
    const sink = fileRejectedSink({ folder })

    await expect(sink.write([rejected('1')], time)).rejects.toThrow()
    await rm(folder)

    expect(await sink.write([rejected('1')], time)).toEqual([{ stored: true }])
  })
})
