import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ManualClock } from '@org/kinesis-core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import {
  aDirectory,
  aFilledSpool,
  aRecord,
  asKilledNow,
  cleanUp,
  filesIn,
  openSpool,
  recoveredFrom,
  thrownBy,
} from './spool-fixture.js'

afterEach(cleanUp)

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
