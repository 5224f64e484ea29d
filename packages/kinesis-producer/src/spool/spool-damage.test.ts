import { copyFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeHeader } from './segment-format.js'
import {
  aDirectory,
  aFilledSpool,
  aRecord,
  cleanUp,
  contentsOf,
  dataIn,
  filesIn,
  openSpool,
  recoveredFrom,
} from './spool-fixture.js'

afterEach(cleanUp)

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
