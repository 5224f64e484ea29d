import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '@org/kinesis-core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KinesisService, type KinesisServiceOptions } from '../kinesis/kinesis-service.js'
import { type Journal, openJournal } from './open-journal.js'

const StreamName = 'orders'
let folder: string
let warnings: string[]
let journal: Journal

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kinesis-journal-'))
  warnings = []
})
afterEach(() => {
  journal.close()
  rmSync(folder, { recursive: true, force: true })
})

const segments = () =>
  readdirSync(folder)
    .filter((name) => name.startsWith('segment'))
    .sort()
    .map((name) => join(folder, name))

/** The service on the folder; what had it before is over. */
function open(options: KinesisServiceOptions = {}, segmentBytes = 1024 * 1024) {
  journal = openJournal({
    folder,
    segmentBytes,
    syncIntervalMs: 1_000,
    onWarning: (message) => warnings.push(message),
  })
  const service = new KinesisService({ shardLimits: false, ...options, journal })
  const call = (operation: string, input: Record<string, unknown>) => service.call(operation, input)
  return {
    service,
    call,
    put: (text: string) =>
      call('PutRecord', { StreamName, PartitionKey: text.slice(0, 20), Data: Buffer.from(text) }) as {
        SequenceNumber: string
      },
    texts(shard = 0): string[] {
      const ShardId = `shardId-${String(shard).padStart(12, '0')}`
      const { ShardIterator } = call('GetShardIterator', {
        StreamName,
        ShardId,
        ShardIteratorType: 'TRIM_HORIZON',
      }) as { ShardIterator: string }
      const { Records } = call('GetRecords', { ShardIterator }) as { Records: { Data: Buffer }[] }
      return Records.map(({ Data }) => Data.toString())
    },
  }
}

function reopen(options: KinesisServiceOptions = {}, segmentBytes?: number) {
  journal.close()
  return open(options, segmentBytes)
}

describe('a journal', () => {
  it('drops the part of a call at its end, says what that costs, and loses nothing before it', () => {
    const first = open()
    first.call('CreateStream', { StreamName, ShardCount: 1 })
    first.put('one')
    const { SequenceNumber } = first.put('two')
    const whole = statSync(segments().at(-1)!).size
    first.put('three')
    journal.close()
    const last = segments().at(-1)!
    const bytes = readFileSync(last)

    for (const cut of [1, 7, 20, bytes.length - whole - 1]) {
      writeFileSync(last, bytes.subarray(0, bytes.length - cut))
      for (const later of segments().slice(segments().indexOf(last) + 1)) rmSync(later)
      warnings.length = 0
      const again = open()

      expect(again.texts()).toEqual(['one', 'two'])
      expect(warnings).toEqual([
        `The last ${bytes.length - whole - cut} bytes of ${last} were torn off by the end of the process, and are dropped.`,
      ])
      expect(again.put('four').SequenceNumber > SequenceNumber).toBe(true)
      expect(reopen().texts()).toEqual(['one', 'two', 'four'])
      journal.close()
    }
  })

  it('says where a segment is damaged that is not the last, and reads the others', () => {
    const first = open({}, 400)
    first.call('CreateStream', { StreamName, ShardCount: 1 })
    for (let index = 0; index < 10; index++) first.put(`text-${index}`)
    journal.close()
    const damaged = segments()[1]!
    const bytes = readFileSync(damaged)
    bytes[bytes.length - 5]! ^= 1
    writeFileSync(damaged, bytes)

    const again = open()

    expect(segments().length).toBeGreaterThan(3)
    expect(warnings).toEqual([
      expect.stringMatching(/^\S+ is damaged at byte \d+: the \d+ bytes from there on/),
    ])
    expect(again.texts().length).toBeGreaterThan(5)
    expect(again.texts().length).toBeLessThan(10)
    expect(again.texts()).toContain('text-9')
  })

  it('ignores what is no entry at the end', () => {
    const first = open()
    first.call('CreateStream', { StreamName, ShardCount: 1 })
    first.put('one')
    journal.close()
    appendFileSync(segments().at(-1)!, Buffer.alloc(100))

    expect(open().texts()).toEqual(['one'])
    expect(warnings).toHaveLength(1)
  })

  it('keeps the first record of a shard also where it fills the segment alone', () => {
    const first = open({}, 5_000)
    first.call('CreateStream', { StreamName, ShardCount: 1 })
    const text = 'x'.repeat(20_000)
    first.put(text)
    expect(reopen({}, 5_000).texts()).toEqual([text])
  })

  it('removes segments when their records are beyond the retention', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1))
    const first = open({ clock }, 2_000)
    first.call('CreateStream', { StreamName, ShardCount: 1 })
    for (let index = 0; index < 100; index++) first.put(`old-${index}-${'x'.repeat(100)}`)
    const before = segments().length
    await clock.advance(25 * 3_600_000)
    for (let index = 0; index < 20; index++) first.put(`new-${index}-${'x'.repeat(100)}`)

    expect(before).toBeGreaterThan(5)
    expect(segments().length).toBeLessThan(before / 2)
    expect(reopen({ clock }).texts()).toHaveLength(20)
  })

  it('stays as large as maxRetainedBytes lets it, beside a shard that hardly changes', () => {
    const options = { maxRetainedBytes: 400_000 }
    const first = open(options, 50_000)
    first.call('CreateStream', { StreamName: 'quiet', ShardCount: 1 })
    first.call('PutRecord', { StreamName: 'quiet', PartitionKey: 'a', Data: Buffer.from('rare') })
    first.call('CreateStream', { StreamName, ShardCount: 1 })
    for (let index = 0; index < 2_000; index++) first.put(`${index}-${'x'.repeat(1_000)}`)

    const bytes = segments().reduce((sum, path) => sum + statSync(path).size, 0)
    expect(bytes).toBeGreaterThan(200_000)
    expect(bytes).toBeLessThan(1_000_000)
    const kept = first.texts().length
    expect(reopen(options).texts().length).toBeGreaterThanOrEqual(kept)
  })

  it('forgets a stream that was deleted, and tells its successor apart', () => {
    const first = open()
    first.call('CreateStream', { StreamName, ShardCount: 2 })
    first.put('old')
    first.call('DeleteStream', { StreamName })
    const none = reopen()
    expect(none.call('ListStreams', {})).toMatchObject({ StreamNames: [] })

    none.call('CreateStream', { StreamName, ShardCount: 1 })
    none.put('new')

    expect(reopen().texts()).toEqual(['new'])
  })

  it('acknowledges nothing that it cannot keep', () => {
    const first = open()
    first.call('CreateStream', { StreamName, ShardCount: 1 })
    first.put('kept')
    journal.close()

    expect(() => first.put('lost')).toThrow(/^The journal in \S+ cannot be written/)
    // Who had read it would go on behind its number, and miss the record that gets that number next.
    expect(first.texts()).toEqual(['kept'])
    expect(open().texts()).toEqual(['kept'])
  })

  it('lets nobody read a record that it could not keep, nor stand behind it at the tip', () => {
    const first = open()
    first.call('CreateStream', { StreamName, ShardCount: 1 })
    const { SequenceNumber } = first.put('kept')
    journal.close()
    expect(() => first.put('lost')).toThrow(/cannot be written/)
    expect(first.texts()).toEqual(['kept'])
    const { ShardIterator } = first.call('GetShardIterator', {
      StreamName,
      ShardId: 'shardId-000000000000',
      ShardIteratorType: 'LATEST',
    }) as { ShardIterator: string }

    const again = open()
    expect(again.put('next').SequenceNumber > SequenceNumber).toBe(true)
    expect(again.call('GetRecords', { ShardIterator })).toMatchObject({
      Records: [{ Data: Buffer.from('next') }],
    })
  })

  it('lets no tip move on for records that were throttled, also where the shards are taken in turn', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1))
    const first = open({ clock, shardLimits: true })
    first.call('CreateStream', {
      StreamName,
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RecordDistributionStrategy: 'AUTO',
    })
    const Records = Array.from({ length: 500 }, () => ({ Data: Buffer.from('x') }))
    for (let call = 0; call < 10; call++) first.call('PutRecords', { StreamName, Records })
    const tips = [0, 1, 2, 3].map(
      (shard) =>
        first.call('GetShardIterator', {
          StreamName,
          ShardId: `shardId-00000000000${shard}`,
          ShardIteratorType: 'LATEST',
        }) as { ShardIterator: string },
    )

    const again = reopen({ clock })
    for (let index = 0; index < 4; index++) again.call('PutRecord', { StreamName, Data: Buffer.from('y') })
    for (const { ShardIterator } of tips)
      expect(again.call('GetRecords', { ShardIterator })).toMatchObject({
        Records: [{ Data: Buffer.from('y') }],
      })
  })

  it('keeps the shards that an on-demand stream got by being written to', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1))
    const first = open({ clock, shardLimits: true })
    first.call('CreateStream', { StreamName, StreamModeDetails: { StreamMode: 'ON_DEMAND' } })
    for (let index = 0; index < 1_500; index++) {
      try {
        first.call('PutRecord', { StreamName, PartitionKey: 'hot', Data: Buffer.from('x') })
      } catch {}
    }
    await clock.advance(61_000)
    first.put('next')
    const shards = (service: typeof first) =>
      (service.call('ListShards', { StreamName }) as { Shards: unknown[] }).Shards
    const before = shards(first)

    expect(before.length).toBeGreaterThan(4)
    expect(shards(reopen({ clock }))).toEqual(before)
  })

  it('keeps them also where the call that brought them stored nothing', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1))
    const first = open({ clock, shardLimits: true })
    first.call('CreateStream', { StreamName, StreamModeDetails: { StreamMode: 'ON_DEMAND' } })
    first.call('UpdateMaxRecordSize', { StreamName, MaxRecordSizeInKiB: 10_240 })
    const Data = Buffer.alloc(9 * 1024 * 1024)
    const putTo = (ExplicitHashKey: string) =>
      first.call('PutRecord', { StreamName, PartitionKey: 'a', ExplicitHashKey, Data })
    putTo('0')
    expect(() => putTo('0')).toThrow(/^Rate exceeded/)
    await clock.advance(59_000)
    const ofAnother = String(2n ** 128n - 1n)
    putTo(ofAnother)
    await clock.advance(1_000)
    expect(() => putTo(ofAnother)).toThrow(/^Rate exceeded/)
    const shards = (service: typeof first) =>
      (service.call('ListShards', { StreamName }) as { Shards: unknown[] }).Shards
    const before = shards(first)

    expect(before).toHaveLength(6)
    expect(shards(reopen({ clock }))).toEqual(before)
  })
})
