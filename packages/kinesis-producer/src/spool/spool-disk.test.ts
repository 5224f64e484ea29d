import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ManualClock } from '@org/kinesis-core/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  aDirectory,
  aFilledSpool,
  aRecord,
  asKilledNow,
  cleanUp,
  dataIn,
  diskError,
  FaultyDisk,
  filesIn,
  openSpool,
  thrownBy,
} from './spool-fixture.js'

afterEach(cleanUp)

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
