import { copyFileSync, mkdirSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ManualClock } from '@org/kinesis-core/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ProducerError } from '../producer-errors.js'
import { encodeHeader } from './segment-format.js'
import type { SpoolError } from './spool-error.js'
import {
  aDirectory,
  aRecord,
  asKilledNow,
  cleanUp,
  contentsOf,
  dataIn,
  diskError,
  FaultyDisk,
  filesIn,
  openSpool,
  recoveredFrom,
} from './spool-fixture.js'

afterEach(cleanUp)

/** A spool, with segments of 4 KiB, that has taken so many records of 1,000 bytes: four to a segment. */
async function aFilledSpool(records: number, options: Parameters<typeof openSpool>[1] = {}) {
  const directory = aDirectory()
  const spool = await openSpool(directory, { segmentBytes: 4_500, ...options })
  const positions = Array.from({ length: records }, (_, index) =>
    spool.append(aRecord(String(index).padEnd(1_000, '.'))),
  )
  return { directory, spool, positions }
}

function thrownBy(call: () => unknown): SpoolError {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(ProducerError)
    return error as SpoolError
  }
  throw new Error('nothing was thrown')
}

describe('a spool', () => {
  it('gives the next process what was not settled, as it was and in order', async () => {
    const directory = aDirectory()
    const clock = new ManualClock(1_000)
    const spool = await openSpool(directory, { clock })
    const records = [
      { partitionKey: 'user_1', explicitHashKey: undefined, data: Buffer.from('one') },
      {
        partitionKey: 'ключ-🗝',
        explicitHashKey: '340282366920938463463374607431768211455',
        data: Buffer.alloc(0),
      },
      { partitionKey: 'k'.repeat(256), explicitHashKey: '0', data: new Uint8Array([0, 255, 128]) },
      { partitionKey: 'user_2', explicitHashKey: undefined, data: Buffer.alloc(200_000, 'large') },
    ]
    const positions = records.map((record) => spool.append(record))
    spool.settle(positions[0]!)
    await spool.close()

    const next = await openSpool(directory, { clock })
    expect(next.stats().unsettled).toBe(3)
    expect(await recoveredFrom(next)).toEqual(
      records.slice(1).map((record, index) => ({
        ...record,
        data: Buffer.from(record.data),
        position: positions[index + 1],
        appendedAtMs: 1_000,
      })),
    )
    expect(next.report).toEqual([])
  })

  it('has lost nothing when its process is killed', async () => {
    const { directory, positions } = await aFilledSpool(10)
    const next = await openSpool(asKilledNow(directory))
    expect((await recoveredFrom(next)).map(({ position }) => position)).toEqual(positions)
  })

  it('gives what the process before did not settle to a third, and its own with it', async () => {
    const { directory, spool, positions } = await aFilledSpool(3)
    await spool.close()
    const second = await openSpool(directory)
    const position = second.append(aRecord('of the second'))
    expect(position).toBeGreaterThan(positions.at(-1)!)
    second.settle(positions[1]!)
    await second.close()

    const third = await openSpool(directory)
    expect((await recoveredFrom(third)).map((record) => record.position)).toEqual([
      positions[0],
      positions[2],
      position,
    ])
  })

  it('recovers what was there when it was opened, and not what it is given since', async () => {
    const { directory, spool } = await aFilledSpool(2)
    await spool.close()
    const next = await openSpool(directory)
    const seen: number[] = []
    for await (const { position } of next.recovered) {
      seen.push(position)
      next.append(aRecord('more'))
      next.settle(position)
    }
    expect(seen).toHaveLength(2)
    expect(next.stats()).toMatchObject({ unsettled: 2, segments: 1 })
  })

  it('deletes a segment when the last of its records is settled, in whatever order', async () => {
    const { directory, spool, positions } = await aFilledSpool(12)
    expect(filesIn(directory)).toHaveLength(3)
    for (const index of [6, 4, 7]) spool.settle(positions[index]!)
    expect(filesIn(directory)).toHaveLength(3)
    spool.settle(positions[5]!)
    expect(filesIn(directory)).toHaveLength(2)
    for (const position of positions) spool.settle(position)
    // The one that is being written stays.
    expect(filesIn(directory)).toHaveLength(1)
    expect(spool.stats()).toMatchObject({ unsettled: 0, segments: 1 })
    await spool.close()
    expect(filesIn(directory)).toEqual([])
  })

  it('settles a record once, and nothing where there is none', async () => {
    const { spool, positions } = await aFilledSpool(2)
    for (const position of [positions[0]!, positions[0]!, -1, 0.5, Number.NaN, 1e15, positions[1]! + 1]) {
      spool.settle(position)
    }
    expect(spool.stats().unsettled).toBe(1)
  })

  it('writes down what is settled a little later, as runs, however many they are', async () => {
    const clock = new ManualClock()
    const directory = aDirectory()
    const spool = await openSpool(directory, { clock, fsync: 'never', fsyncIntervalMs: 50 })
    const positions = Array.from({ length: 10_000 }, () => spool.append(aRecord()))
    for (const position of positions.slice(0, 9_000)) spool.settle(position)
    await clock.advance(49)
    expect(filesIn(directory, '.settled')).toEqual([])
    expect((await recoveredFrom(await openSpool(asKilledNow(directory)))).length).toBe(10_000)

    await clock.advance(1)
    expect(statSync(join(directory, filesIn(directory, '.settled')[0]!)).size).toBeLessThan(100)
    expect((await recoveredFrom(await openSpool(asKilledNow(directory)))).length).toBe(1_000)
    expect(clock.pending).toBe(0)
  })

  it('is its user’s alone', async () => {
    const parent = aDirectory()
    const directory = join(parent, 'made', 'for', 'it')
    const spool = await openSpool(directory)
    spool.append(aRecord())
    spool.settle(spool.append(aRecord()))
    await spool.close()
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(statSync(join(parent, 'made')).mode & 0o777).toBe(0o700)
    for (const file of filesIn(directory)) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600)
    expect(filesIn(directory)).toHaveLength(2)
  })

  it('belongs to one process, until that closes it', async () => {
    const { directory, spool } = await aFilledSpool(1)
    await expect(openSpool(directory)).rejects.toMatchObject({ code: 'SPOOL_IN_USE', directory })
    await spool.close()
    await spool.close()
    await openSpool(directory)
  })

  it('takes nothing when it is closed', async () => {
    const { spool, positions } = await aFilledSpool(1)
    await spool.close()
    expect(thrownBy(() => spool.append(aRecord())).code).toBe('PRODUCER_CLOSED')
    spool.settle(positions[0]!)
  })

  it('says why it cannot be opened', async () => {
    const file = join(aDirectory(), 'file')
    writeFileSync(file, '')
    await expect(openSpool(file)).rejects.toMatchObject({
      code: 'SPOOL_FAILED',
      retryable: false,
      directory: file,
    })
  })
})

describe('a spool that is full', () => {
  it('refuses records until a segment has settled', async () => {
    const { spool, positions } = await aFilledSpool(8, { maxBytes: 9_000 })
    const error = thrownBy(() => spool.append(aRecord('x'.repeat(1_000))))
    expect(error).toMatchObject({ code: 'SPOOL_FULL', retryable: true, maybeDelivered: false })
    expect(error.message).toContain('maxBytes is 9000')
    for (const position of positions.slice(0, 4)) spool.settle(position)
    spool.append(aRecord('x'.repeat(1_000)))
  })

  it('has room again when all of its only segment is settled', async () => {
    const { spool, positions } = await aFilledSpool(4, { maxBytes: 4_500 })
    expect(thrownBy(() => spool.append(aRecord('x'.repeat(1_000)))).code).toBe('SPOOL_FULL')
    for (const position of positions) spool.settle(position)
    spool.append(aRecord('x'.repeat(1_000)))
    expect(spool.stats()).toMatchObject({ segments: 1, unsettled: 1 })
  })

  it('says so where a record can never fit', async () => {
    const { spool } = await aFilledSpool(1, { maxBytes: 9_000 })
    expect(thrownBy(() => spool.append(aRecord('x'.repeat(9_000))))).toMatchObject({
      code: 'SPOOL_FULL',
      retryable: false,
    })
    // Larger than a segment is no reason.
    spool.append(aRecord('x'.repeat(6_000)))
  })

  it('counts what the process before left', async () => {
    const { directory, spool, positions } = await aFilledSpool(8)
    await spool.close()
    const next = await openSpool(directory, { segmentBytes: 4_500, maxBytes: 9_000 })
    expect(thrownBy(() => next.append(aRecord('x'.repeat(1_000)))).code).toBe('SPOOL_FULL')
    for (const position of positions) next.settle(position)
    expect(next.stats()).toEqual({ segments: 0, bytes: 0, unsettled: 0 })
    next.append(aRecord('x'.repeat(1_000)))
  })
})

describe('a disk that refuses a write', () => {
  it.each([
    ['ENOSPC', 'SPOOL_FULL'],
    ['EIO', 'SPOOL_FAILED'],
  ] as const)('with %s gets %s, and nothing of the record stays', async (code, expected) => {
    const disk = new FaultyDisk()
    const { directory, spool } = await aFilledSpool(2, { disk })
    const { write } = disk
    const { size } = statSync(join(directory, filesIn(directory)[0]!))
    // A part of it is written, then nothing more.
    disk.write = (file, bytes, offset, length, at) => {
      if (offset > 0) throw diskError(code)
      return write(file, bytes, offset, Math.min(length, 500), at)
    }
    expect(thrownBy(() => spool.append(aRecord('lost '.repeat(200))))).toMatchObject({
      code: expected,
      retryable: true,
      maybeDelivered: false,
      cause: { code },
    })
    expect(statSync(join(directory, filesIn(directory)[0]!)).size).toBe(size)
    disk.write = write
    spool.append(aRecord('kept'))
    await spool.close()

    const next = await openSpool(directory)
    expect(await dataIn(next)).toEqual(['0'.padEnd(1_000, '.'), '1'.padEnd(1_000, '.'), 'kept'])
    expect(next.report).toEqual([])
  })

  it('is asked again for room when what was written is all settled', async () => {
    const disk = new FaultyDisk()
    const { spool, positions } = await aFilledSpool(3, { disk })
    const { write } = disk
    disk.write = (file, bytes, offset, length, at) => {
      if (at > 3_000) throw diskError('ENOSPC')
      return write(file, bytes, offset, length, at)
    }
    expect(thrownBy(() => spool.append(aRecord('x'))).code).toBe('SPOOL_FULL')
    for (const position of positions) spool.settle(position)
    spool.append(aRecord('x'))
    expect(spool.stats()).toMatchObject({ segments: 1, unsettled: 1 })
  })

  it('leaves no file of a segment that could not be begun', async () => {
    const disk = new FaultyDisk()
    const directory = aDirectory()
    const spool = await openSpool(directory, { disk })
    const { write } = disk
    disk.write = () => {
      throw diskError('ENOSPC')
    }
    expect(thrownBy(() => spool.append(aRecord())).code).toBe('SPOOL_FULL')
    expect(filesIn(directory)).toEqual([])
    expect(spool.stats()).toEqual({ segments: 0, bytes: 0, unsettled: 0 })
    disk.write = write
    spool.append(aRecord())
  })

  it('ends the spool where a torn write cannot be cut off either', async () => {
    const disk = new FaultyDisk()
    const onFailed = vi.fn()
    const { directory, spool } = await aFilledSpool(1, { disk, onFailed })
    const { write } = disk
    disk.write = (file, bytes, offset, length, at) => {
      if (offset > 0) throw diskError('EIO')
      return write(file, bytes, offset, Math.min(length, 500), at)
    }
    disk.truncate = () => {
      throw diskError('EIO')
    }
    const error = thrownBy(() => spool.append(aRecord('lost '.repeat(200))))
    expect(error).toMatchObject({ code: 'SPOOL_FAILED', retryable: false, maybeDelivered: false })
    expect(thrownBy(() => spool.append(aRecord()))).toBe(error)
    expect(onFailed.mock.calls).toEqual([[error]])
    await expect(spool.close()).rejects.toBe(error)

    const next = await openSpool(directory)
    expect(await dataIn(next)).toHaveLength(1)
    expect(next.report).toMatchObject([{ reason: 'torn-tail', bytes: 500 }])
  })

  it('still lets records settle; what it does not take of that is written with the next', async () => {
    const disk = new FaultyDisk()
    const clock = new ManualClock()
    const { directory, spool, positions } = await aFilledSpool(3, { disk, clock, fsync: 'never' })
    const { write } = disk
    disk.write = () => {
      throw diskError('ENOSPC')
    }
    spool.settle(positions[0]!)
    await clock.advance(100)
    // It is not asked all the time.
    expect(clock.pending).toBe(0)
    disk.write = write
    spool.settle(positions[2]!)
    await clock.advance(100)

    const next = await openSpool(asKilledNow(directory))
    expect(await dataIn(next)).toEqual(['1'.padEnd(1_000, '.')])
    expect(next.report).toEqual([])
  })
})

describe('the sync policy', () => {
  it("'always' has the disk sync each append before it returns, and the name of each new segment", async () => {
    const disk = new FaultyDisk()
    const { spool } = await aFilledSpool(5, { disk, fsync: 'always' })
    const ofDirectory = disk.calls.filter((call) => call === 'syncDirectoryNow')
    expect(ofDirectory).toHaveLength(2)
    expect(disk.calls.filter((call) => call === 'syncNow')).toHaveLength(5)
    await spool.close()
  })

  it("'interval' syncs what was appended, and the names, once for each interval in which there was something", async () => {
    const disk = new FaultyDisk()
    const clock = new ManualClock()
    const { spool } = await aFilledSpool(3, { disk, clock, fsyncIntervalMs: 20 })
    await clock.advance(19)
    expect(disk.calls).toEqual([])
    await clock.advance(1)
    await expect.poll(() => disk.calls).toEqual(['sync', 'syncDirectory'])
    await expect.poll(() => clock.pending).toBe(0)

    // Two segments: the one that ends now, and the next.
    for (let index = 0; index < 2; index++) spool.append(aRecord('x'.repeat(1_000)))
    await clock.advance(20)
    await expect.poll(() => disk.calls.slice(2)).toEqual(['sync', 'sync', 'syncDirectory'])
    await expect.poll(() => clock.pending).toBe(0)
  })

  it("'interval' syncs in the next interval what is appended while a sync is under way", async () => {
    const disk = new FaultyDisk()
    const clock = new ManualClock()
    let finish = () => {}
    disk.sync = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)))
    const spool = await openSpool(aDirectory(), { disk, clock })
    spool.append(aRecord())
    await clock.advance(100)
    spool.append(aRecord())
    await clock.advance(1_000)
    expect(disk.sync).toHaveBeenCalledTimes(1)
    finish()
    await expect.poll(() => clock.pending).toBe(1)
    await clock.advance(100)
    expect(disk.sync).toHaveBeenCalledTimes(2)
    finish()
  })

  it("'interval' syncs the rest when it is closed", async () => {
    const disk = new FaultyDisk()
    const { spool, positions } = await aFilledSpool(3, { disk })
    spool.settle(positions[1]!)
    await spool.close()
    expect(disk.calls).toEqual(['syncNow', 'sync', 'syncDirectory'])
  })

  it("'never' leaves it to the operating system", async () => {
    const disk = new FaultyDisk()
    const { spool, positions } = await aFilledSpool(9, { disk, fsync: 'never' })
    for (const position of positions.slice(1)) spool.settle(position)
    await spool.close()
    expect(disk.calls).toEqual([])
  })

  it.each(['always', 'interval'] as const)(
    '%s: after a sync that failed the spool is over',
    async (fsync) => {
      const disk = new FaultyDisk()
      const clock = new ManualClock()
      const onFailed = vi.fn()
      const { directory, spool, positions } = await aFilledSpool(2, { disk, clock, fsync, onFailed })
      disk.syncFault = diskError('EIO')
      if (fsync === 'always') {
        // The disk may have it all the same, and the next process would send it.
        expect(thrownBy(() => spool.append(aRecord('not known')))).toMatchObject({
          code: 'SPOOL_FAILED',
          retryable: false,
          maybeDelivered: true,
        })
      } else {
        spool.append(aRecord('admitted'))
        await clock.advance(100)
        await expect.poll(() => onFailed.mock.calls.length).toBe(1)
      }
      // Another sync would succeed, and tell nothing: the kernel has dropped what it could not write.
      disk.syncFault = undefined
      const error = thrownBy(() => spool.append(aRecord('after')))
      expect(error).toMatchObject({
        code: 'SPOOL_FAILED',
        retryable: false,
        maybeDelivered: false,
        cause: { code: 'EIO' },
      })
      expect(error.message).toContain('takes no more records')
      expect(onFailed.mock.calls).toEqual([[error]])
      spool.settle(positions[0]!)
      await expect(spool.close()).rejects.toBe(error)

      const next = await openSpool(directory)
      expect((await dataIn(next)).map((data) => data.replaceAll('.', ''))).toEqual(
        fsync === 'always' ? ['1'] : ['1', 'admitted'],
      )
    },
  )

  it('a sync that fails while it closes is told, and the directory is free', async () => {
    const disk = new FaultyDisk()
    const { directory, spool } = await aFilledSpool(1, { disk })
    disk.syncFault = diskError('EIO')
    await expect(spool.close()).rejects.toMatchObject({ code: 'SPOOL_FAILED', retryable: false })
    await openSpool(directory)
  })
})

describe('damage', () => {
  it('is told with its place, and kept at its offset in a file beside', async () => {
    const { directory, spool } = await aFilledSpool(6)
    await spool.close()
    const [first, second] = filesIn(directory)
    const bytes = contentsOf(directory, first!)
    bytes[1_500]! ^= 1
    writeFileSync(join(directory, first!), bytes)
    const end = contentsOf(directory, second!).length
    truncateSync(join(directory, second!), end - 3)

    const next = await openSpool(directory)
    const frameBytes = (bytes.length - 40) / 4
    const keptIn = join(directory, `${first}.corrupt`)
    expect(next.report).toEqual([
      { segment: first, offset: 40 + frameBytes, bytes: frameBytes, reason: 'bad-checksum', keptIn },
      {
        segment: second,
        offset: 40 + frameBytes,
        bytes: frameBytes - 3,
        reason: 'torn-tail',
        keptIn: join(directory, `${second}.corrupt`),
      },
    ])
    expect((await dataIn(next)).map((data) => data[0])).toEqual(['0', '2', '3', '4'])
    expect(contentsOf(directory, `${first}.corrupt`).subarray(40 + frameBytes)).toEqual(
      bytes.subarray(40 + frameBytes, 40 + 2 * frameBytes),
    )
    for (const { position } of await recoveredFrom(next)) next.settle(position)
    await next.close()
    expect(filesIn(directory)).toEqual([`${first}.corrupt`, `${second}.corrupt`])
  })

  it('at the torn end is told once, elsewhere by every start while the segment is there', async () => {
    const { directory, spool } = await aFilledSpool(6)
    await spool.close()
    const [first, second] = filesIn(directory)
    const bytes = contentsOf(directory, first!)
    bytes[1_500]! ^= 1
    writeFileSync(join(directory, first!), bytes)
    truncateSync(join(directory, second!), 500)
    for (const reasons of [['bad-checksum', 'torn-tail'], ['bad-checksum'], ['bad-checksum']]) {
      const next = await openSpool(directory)
      expect(next.report.map(({ reason }) => reason)).toEqual(reasons)
      await next.close()
    }
  })

  it('that ends a segment between two records shows where others follow', async () => {
    const { directory, spool } = await aFilledSpool(9)
    await spool.close()
    const [first] = filesIn(directory)
    const frameBytes = (contentsOf(directory, first!).length - 40) / 4
    truncateSync(join(directory, first!), 40 + 2 * frameBytes)
    const next = await openSpool(directory)
    expect(next.report).toEqual([
      { segment: first, offset: 40 + 2 * frameBytes, bytes: 0, reason: 'cut-off', keptIn: undefined },
    ])
    expect(await dataIn(next)).toHaveLength(7)
  })

  it('that cost only what was settled is no loss', async () => {
    const { directory, spool, positions } = await aFilledSpool(9)
    spool.settle(positions[2]!)
    spool.settle(positions[3]!)
    await spool.close()
    const [first] = filesIn(directory, '.records')
    const frameBytes = (contentsOf(directory, first!).length - 40) / 4
    truncateSync(join(directory, first!), 40 + 2 * frameBytes)
    const next = await openSpool(directory)
    expect(next.report).toEqual([])
    expect(await dataIn(next)).toHaveLength(7)
  })

  it('of the header costs no record', async () => {
    const { directory, spool, positions } = await aFilledSpool(3)
    spool.settle(positions[1]!)
    await spool.close()
    for (const file of filesIn(directory)) {
      const bytes = contentsOf(directory, file)
      bytes.fill(0, 0, 40)
      writeFileSync(join(directory, file), bytes)
    }
    const next = await openSpool(directory)
    expect(next.report).toMatchObject([
      { segment: expect.stringContaining('.records'), offset: 0, bytes: 40, reason: 'bad-header' },
      { segment: expect.stringContaining('.settled'), offset: 0, bytes: 40, reason: 'bad-header' },
    ])
    expect((await recoveredFrom(next)).map(({ position }) => position)).toEqual([positions[0], positions[2]])
  })

  it('that cannot be copied keeps its segment from being deleted', async () => {
    const { directory, spool } = await aFilledSpool(3)
    await spool.close()
    const [file] = filesIn(directory)
    const bytes = contentsOf(directory, file!)
    bytes[1_500]! ^= 1
    writeFileSync(join(directory, file!), bytes)
    mkdirSync(join(directory, `${file}.corrupt`))

    const next = await openSpool(directory)
    expect(next.report).toMatchObject([{ segment: file, reason: 'bad-checksum', keptIn: undefined }])
    for (const { position } of await recoveredFrom(next)) next.settle(position)
    await next.close()
    expect(contentsOf(directory, file!)).toEqual(bytes)
    expect((await openSpool(directory)).stats().unsettled).toBe(0)
  })

  it('that makes a file unreadable leaves it where it is, and its positions to it', async () => {
    const { directory, spool } = await aFilledSpool(6)
    await spool.close()
    const [first, second] = filesIn(directory)
    const away = join(aDirectory(), 'away')
    renameSync(join(directory, second!), away)
    mkdirSync(join(directory, second!))
    const next = await openSpool(directory)
    expect(next.report).toMatchObject([{ segment: second, reason: 'unreadable', keptIn: undefined }])
    const position = next.append(aRecord('new'))
    await next.close()

    renameSync(join(directory, second!), join(aDirectory(), 'gone'))
    copyFileSync(away, join(directory, second!))
    const third = await openSpool(directory)
    const positions = (await recoveredFrom(third)).map((record) => record.position)
    expect(new Set(positions).size).toBe(7)
    expect(positions.at(-1)).toBe(position)
    expect(filesIn(directory, '.records')[0]).toBe(first)
  })

  it('that comes while it runs is told, and the segment stays', async () => {
    const { directory, spool } = await aFilledSpool(3)
    await spool.close()
    const next = await openSpool(directory)
    const [file] = filesIn(directory)
    const bytes = contentsOf(directory, file!)
    bytes[1_500]! ^= 1
    writeFileSync(join(directory, file!), bytes)
    const recovered = await recoveredFrom(next)
    expect(recovered).toHaveLength(2)
    expect(next.report).toMatchObject([{ segment: file, reason: 'bad-checksum' }])
    for (const { position } of recovered) next.settle(position)
    await next.close()
    expect(filesIn(directory, '.records')).toEqual([file])
  })

  it('is no reason to touch files of a later version, or of others', async () => {
    const { directory, spool } = await aFilledSpool(1)
    await spool.close()
    writeFileSync(join(directory, 'notes.txt'), 'mine')
    const [file] = filesIn(directory, '.records')
    const later = encodeHeader({ kind: 'records', salt: 1, first: 0, previous: undefined })
    later[8] = 2
    const { crc32 } = await import('node:zlib')
    later.writeUInt32LE(crc32(later.subarray(0, 36)), 36)
    writeFileSync(join(directory, file!), later)
    await expect(openSpool(directory)).rejects.toMatchObject({
      code: 'SPOOL_FAILED',
      message: expect.stringContaining('is of version 2, this producer reads version 1'),
    })
    expect(contentsOf(directory, file!)).toEqual(later)
    expect(filesIn(directory)).toEqual(['notes.txt', file])
    // It is not left locked.
    await expect(openSpool(directory)).rejects.toMatchObject({ code: 'SPOOL_FAILED' })
  })

  it('of a deletion that was cut short leaves nothing behind', async () => {
    const { directory, spool, positions } = await aFilledSpool(2)
    spool.settle(positions[0]!)
    await spool.close()
    const [records] = filesIn(directory, '.records')
    renameSync(join(directory, records!), join(aDirectory(), 'gone'))
    await openSpool(directory)
    expect(filesIn(directory)).toEqual([])
  })
})
