import { randomBytes } from 'node:crypto'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { encodeAggregate } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { fileRejectedSource } from '../src/rejected/file-rejected-source.js'
import { aRejectedRecord } from '../src/rejected/rejected-fixture.js'
import type { ReplayOutcome } from '../src/rejected/replay-options.js'
import { replayRejected } from '../src/rejected/replay-rejected.js'
import type { RejectedRecord } from '../src/rejected-record.js'
import { rejectedPayload } from '../src/rejected-record.js'
import { all, startReplay, storeKinds } from './rejected-stores.js'

/** Records of three keys, in stream order; the payload says key and place. */
const records = (count: number): RejectedRecord[] =>
  Array.from({ length: count }, (_, n) =>
    aRejectedRecord({
      sequenceNumber: String(8 + n),
      partitionKey: 'abc'[n % 3]!,
      data: `${'abc'[n % 3]} ${n}`,
    }),
  )
const fast = { maxRecordsPerSecond: 100_000 }
const textsOf = (found: readonly { data: Buffer }[]) => found.map(({ data }) => data.toString())
const payloadsOf = (found: readonly { record: RejectedRecord | undefined }[]) =>
  found.map(({ record }) => Buffer.from(rejectedPayload(record!)).toString()).sort()
/** The places of the records of one key, in the order of the stream. */
const placesOf = (found: readonly { partitionKey: string; data: Buffer }[], key: string) =>
  textsOf(found.filter(({ partitionKey }) => partitionKey === key)).map((text) => Number(text.slice(2)))

describe.each(storeKinds)('a replay from %s', (kind) => {
  it('puts every record back byte for byte, in the order of its key, and takes it away', async () => {
    await using replay = await startReplay()
    const data = [0, 1, 1_000].map((bytes) => randomBytes(bytes))
    const binary = data.map((bytes, n) =>
      aRejectedRecord({ sequenceNumber: `${n}`, partitionKey: `k\u0000${n}`, data: bytes }),
    )
    await replay.keep(kind, binary)
    await replay.keep(kind, records(30))

    const report = await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      ...fast,
    })

    expect(report).toMatchObject({ put: 33, failed: 0, notRemoved: 0, stopped: undefined })
    const found = await replay.streamed()
    expect(found).toHaveLength(33)
    for (const [n, bytes] of data.entries()) {
      expect(found.find(({ partitionKey }) => partitionKey === `k\u0000${n}`)?.data).toEqual(bytes)
    }
    for (const key of ['a', 'b', 'c']) {
      expect(placesOf(found, key)).toEqual(Array.from({ length: 10 }, (_, n) => 'abc'.indexOf(key) + 3 * n))
    }
    expect(await replay.kept(kind)).toEqual([])
  })

  it('leaves a record that cannot be put where it was, with those behind it in its key, for another replay', async () => {
    let puts = 0
    await using replay = await startReplay({
      faults: ({ operation }) =>
        operation === 'PutRecord' && ++puts === 7 ? { kind: 'throttle' } : undefined,
    })
    await replay.keep(kind, records(30))
    const outcomes: ReplayOutcome[] = []

    const first = await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      onOutcome: (outcome) => outcomes.push(outcome),
      ...fast,
    })
    const left = await replay.kept(kind)
    const second = await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      ...fast,
    })

    const failed = outcomes.find(({ outcome }) => outcome === 'failed')!
    const behind = outcomes.filter(({ outcome }) => outcome === 'heldBack')
    expect(first).toMatchObject({
      failed: 1,
      heldBack: behind.length,
      put: 29 - behind.length,
      notRemoved: 0,
    })
    expect(failed.error).toMatchObject({ name: 'ProvisionedThroughputExceededException' })
    expect(
      behind.every(({ entry }) => entry.record?.partitionKey === failed.entry.record?.partitionKey),
    ).toBe(true)
    expect(payloadsOf(left)).toEqual(payloadsOf([failed, ...behind].map(({ entry }) => entry)))
    expect(second).toMatchObject({ put: 1 + behind.length })
    const found = await replay.streamed()
    expect(textsOf(found).sort()).toEqual(payloadsOf(records(30).map((record) => ({ record }))))
    for (const key of ['a', 'b', 'c'])
      expect(placesOf(found, key)).toEqual(placesOf(found, key).sort((x, y) => x - y))
    expect(await replay.kept(kind)).toEqual([])
  })

  it('changes nothing in a dry run, and says what would happen', async () => {
    await using replay = await startReplay()
    await replay.keep(kind, records(6))
    const outcomes: ReplayOutcome[] = []

    const report = await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      dryRun: true,
      choose: { partitionKeys: ['a', 'b'] },
      transform: (data) => {
        if (data.toString().startsWith('b')) throw new Error('cannot be mended')
        return data
      },
      onOutcome: (outcome) => outcomes.push(outcome),
    })

    expect(report).toMatchObject({ planned: 2, failed: 1, heldBack: 1, unchosen: 2, put: 0 })
    expect(outcomes).toHaveLength(6)
    expect(await replay.streamed()).toEqual([])
    expect(payloadsOf(await replay.kept(kind))).toEqual(payloadsOf(records(6).map((record) => ({ record }))))
  })

  it('stops at once when it is told to, keeps what it did not put, and loses and doubles nothing', async () => {
    await using replay = await startReplay()
    await replay.keep(kind, records(30))
    const controller = new AbortController()
    let puts = 0

    const stopped = await replayRejected({
      source: replay.source(kind),
      destination: {
        put(record) {
          if (++puts === 8) controller.abort()
          return replay.destination.put(record)
        },
      },
      signal: controller.signal,
      maxConcurrency: 2,
      ...fast,
    })
    const left = await replay.kept(kind)
    const second = await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      ...fast,
    })

    expect(stopped).toMatchObject({ stopped: 'aborted', put: puts, left: 30 - puts, notRemoved: 0 })
    expect(puts).toBeLessThan(10)
    expect(left).toHaveLength(30 - puts)
    expect(second).toMatchObject({ put: 30 - puts, stopped: undefined })
    expect(textsOf(await replay.streamed()).sort()).toEqual(
      payloadsOf(records(30).map((record) => ({ record }))),
    )
  })

  it('puts a record once that was rejected twice', async () => {
    await using replay = await startReplay()
    await replay.keep(kind, records(3))
    await replay.keep(kind, records(4))

    const report = await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      maxWindowRecords: 2,
      ...fast,
    })

    expect(report).toMatchObject({ put: 4, repeated: 3, notRemoved: 0 })
    expect(await replay.streamed()).toHaveLength(4)
    expect(await replay.kept(kind)).toEqual([])
  })

  it('leaves what it is told to keep', async () => {
    await using replay = await startReplay()
    await replay.keep(kind, records(3))

    await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      keep: true,
      ...fast,
    })

    expect(await replay.streamed()).toHaveLength(3)
    expect(await replay.kept(kind)).toHaveLength(3)
  })

  it('passes over what is no envelope, says where it lies, and leaves it as it was', async () => {
    await using replay = await startReplay()
    await replay.keep(kind, records(2))
    const junk = '{"version":2}'
    if (kind === 'file') await appendFile(replay.file, `${junk}\n`)
    else if (kind === 'sqs') {
      await replay.sqs.send(new SendMessageCommand({ QueueUrl: replay.queueUrl, MessageBody: junk }))
    } else {
      const [key] = await replay.s3.keys()
      const object = { Bucket: 'kept', Key: `${key}.more`, Body: `${junk}\n` }
      await replay.s3.client.send(new PutObjectCommand(object))
    }
    const outcomes: ReplayOutcome[] = []

    const report = await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      onOutcome: (outcome) => outcomes.push(outcome),
      ...fast,
    })

    expect(report).toMatchObject({ put: 2, unreadable: 1 })
    const [unreadable] = outcomes.filter(({ outcome }) => outcome === 'unreadable')
    expect(unreadable).toMatchObject({ error: { code: 'INVALID_REJECTED_RECORD' } })
    expect(unreadable?.entry.place).toMatch(/rejected\.ndjson:3$|^message .|^s3:\/\/kept\/.*\.more:1$/)
    expect(await replay.kept(kind)).toMatchObject([
      { record: undefined, error: { message: expect.stringContaining('of version 2') } },
    ])
  })
})

describe('what a replay puts back', () => {
  it('is a broken aggregate as it was', async () => {
    await using replay = await startReplay()
    const aggregate = Buffer.from(encodeAggregate([{ partitionKey: 'a', data: Buffer.from('x') }]))
    aggregate[6]! ^= 0xff
    await replay.keep('file', [aRejectedRecord({ data: aggregate, reasonCode: 'corrupt-aggregate' })])

    await replayRejected({ source: replay.source('file'), destination: replay.destination })

    expect((await replay.streamed()).map(({ data }) => data)).toEqual([aggregate])
  })

  it('is what the transform made of it', async () => {
    await using replay = await startReplay()
    await replay.keep('file', records(3))

    const report = await replayRejected({
      source: replay.source('file'),
      destination: replay.destination,
      transform: async (data, { partitionKey }) => {
        if (partitionKey === 'b') return 'no bytes' as never
        return Buffer.from(data.toString().toUpperCase())
      },
    })

    expect(report).toMatchObject({ put: 2, failed: 1 })
    expect(textsOf(await replay.streamed()).sort()).toEqual(['A 0', 'C 2'])
    expect(payloadsOf(await replay.kept('file'))).toEqual(['b 1'])
  })

  it('comes in the order of its key also from a queue that has none', async () => {
    await using replay = await startReplay()
    const shuffled = records(40).sort(
      (a, b) =>
        ((rejectedPayload(a).length + Number(a.sequenceNumber) * 7) % 11) -
        ((Number(b.sequenceNumber) * 7) % 11),
    )
    await replay.keep('sqs', shuffled)

    await replayRejected({ source: replay.source('sqs'), destination: replay.destination, ...fast })

    const found = await replay.streamed()
    expect(found).toHaveLength(40)
    for (const key of ['a', 'b', 'c'])
      expect(placesOf(found, key)).toEqual(placesOf(found, key).sort((x, y) => x - y))
  })

  it('is nothing that was rejected since the replay began, or it would go round for ever', async () => {
    await using replay = await startReplay()
    await replay.keep('file', records(2))
    await replay.keep('file', [aRejectedRecord({ sequenceNumber: '99', rejectedMs: Date.now() + 60_000 })])

    const report = await replayRejected({ source: replay.source('file'), destination: replay.destination })
    const all = await replayRejected({
      source: replay.source('file'),
      destination: replay.destination,
      choose: { rejectedBeforeMs: Date.now() + 120_000 },
    })

    expect(report).toMatchObject({ put: 2, unchosen: 1 })
    expect(all).toMatchObject({ put: 1, unchosen: 0 })
  })
})

describe('records with one place, of releases that unpack records in different ways,', () => {
  it.each(storeKinds)('are all kept and all put back: %s', async (kind) => {
    await using replay = await startReplay()
    for (const data of ['one', 'two', 'one,two']) await replay.keep(kind, [aRejectedRecord({ data })])

    const some = await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      choose: { where: (record) => Buffer.from(rejectedPayload(record)).toString() === 'two' },
      ...fast,
    })
    const left = payloadsOf(await replay.kept(kind))
    const all = await replayRejected({
      source: replay.source(kind),
      destination: replay.destination,
      ...fast,
    })

    expect([some.put, left, all.put, all.repeated]).toEqual([1, ['one', 'one,two'], 2, 0])
    expect(textsOf(await replay.streamed()).sort()).toEqual(['one', 'one,two', 'two'])
  })
})

describe('a replay whose services fail', () => {
  it('tells that messages could not be deleted, and does not put them twice', async () => {
    await using replay = await startReplay({
      faults: ({ operation }) => (operation === 'DeleteMessageBatch' ? { kind: 'error500' } : undefined),
    })
    await replay.keep('sqs', records(3))
    const outcomes: ReplayOutcome[] = []

    const report = await replayRejected({
      source: replay.source('sqs'),
      destination: replay.destination,
      onOutcome: (outcome) => outcomes.push(outcome),
    })

    expect(report).toMatchObject({ put: 3, notRemoved: 3 })
    expect(outcomes.map(({ removeError }) => removeError instanceof Error)).toEqual([true, true, true])
    expect(await replay.streamed()).toHaveLength(3)
    expect(replay.local.queueMessages('rejected')).toHaveLength(3)
  })

  it.each(['PUT', 'DELETE'])('leaves an object whole that it could not change: %s', async (method) => {
    let isHarmed = false
    await using replay = await startReplay({
      s3Fault: (call) => (isHarmed && call.method === method ? 'error503' : undefined),
    })
    await replay.keep('s3', records(3))
    isHarmed = true

    const report = await replayRejected({
      source: replay.source('s3'),
      destination: replay.destination,
      ...(method === 'PUT' ? { choose: { partitionKeys: ['a'] } } : {}),
    })

    const put = method === 'PUT' ? 1 : 3
    expect(report).toMatchObject({ put, notRemoved: put })
    expect(await replay.kept('s3')).toHaveLength(3)
  })

  it('writes no object anew that someone else wrote since', async () => {
    await using replay = await startReplay()
    const asked: (string | undefined)[] = []
    replay.s3.client.middlewareStack.add(
      (next) => (args) => {
        const { method, headers } = args.request as { method: string; headers: Record<string, string> }
        if (method !== 'GET') asked.push(`${method} ${headers['if-match']?.replaceAll('"', '')}`)
        return next(args)
      },
      { step: 'build', name: 'conditions' },
    )
    await replay.keep('s3', records(3))

    await replayRejected({
      source: replay.source('s3'),
      destination: replay.destination,
      choose: { partitionKeys: ['a'] },
    })
    await replayRejected({ source: replay.source('s3'), destination: replay.destination })

    expect(asked).toEqual([
      'PUT undefined',
      expect.stringMatching(/^PUT [0-9a-f]{32}$/),
      expect.stringMatching(/^DELETE [0-9a-f]{32}$/),
    ])
  })

  it('ends with what it had when its source fails', async () => {
    let gets = 0
    await using replay = await startReplay({
      s3Fault: ({ method, path }) =>
        method === 'GET' && path.endsWith('.ndjson') && ++gets === 2 ? 'error503' : undefined,
    })
    await replay.keep('s3', records(1))
    await replay.keep('s3', records(2))

    const report = await replayRejected({ source: replay.source('s3'), destination: replay.destination })

    expect(report).toMatchObject({ stopped: 'source-failed', error: { name: 'SlowDown' } })
    expect(report.put).toBeGreaterThan(0)
  })

  it('stops after so many failures, and leaves the rest', async () => {
    await using replay = await startReplay({
      faults: ({ operation }) => (operation === 'PutRecord' ? { kind: 'error500' } : undefined),
    })
    const many = Array.from({ length: 50 }, (_, n) =>
      aRejectedRecord({ sequenceNumber: `${n}`, partitionKey: `${n}` }),
    )
    await replay.keep('file', many)

    const report = await replayRejected({
      source: replay.source('file'),
      destination: replay.destination,
      maxFailures: 5,
      maxConcurrency: 1,
      ...fast,
    })

    expect(report).toMatchObject({ failed: 5, left: 45, put: 0, stopped: 'too-many-failures' })
    expect(await replay.kept('file')).toHaveLength(50)
  })
})

describe('a file that is replayed', () => {
  it('may be appended to meanwhile', async () => {
    await using replay = await startReplay()
    await replay.keep('file', records(3))
    let appended: Promise<void> | undefined

    await replayRejected({
      source: replay.source('file'),
      destination: {
        async put(record) {
          appended ??= replay.keep('file', [aRejectedRecord({ sequenceNumber: '99', data: 'late' })])
          await appended
          return replay.destination.put(record)
        },
      },
    })

    expect(payloadsOf(await replay.kept('file'))).toEqual(['late'])
    const lines = (await readFile(replay.file, 'utf8')).split('\n')
    expect(lines.map((line) => line.trim().slice(0, 12))).toEqual(['', '', '', '{"version":1', ''])
  })

  it('keeps its lines where it is another file by now', async () => {
    await using replay = await startReplay()
    await replay.keep('file', records(2))
    const source = fileRejectedSource({ file: replay.file })
    const entries = await all(source.entries())
    const other = `${' '.repeat(40)}${await readFile(replay.file, 'utf8')}`
    await writeFile(replay.file, other)

    const removals = await source.remove(entries)

    expect(removals).toMatchObject([{ removed: false }, { removed: false }])
    expect(await readFile(replay.file, 'utf8')).toBe(other)
  })

  it('that is missing is an error', async () => {
    const report = await replayRejected({
      source: fileRejectedSource({ file: '/nowhere/rejected.ndjson' }),
      destination: { put: async () => undefined },
    })

    expect(report).toMatchObject({ stopped: 'source-failed', error: { code: 'ENOENT' } })
  })
})
