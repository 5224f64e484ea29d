import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ManualClock } from '@org/kinesis-core/testing'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type Disk, systemDisk } from './disk.js'
import { readFrames } from './segment-format.js'
import type { Spool } from './spool.js'
import { aDirectory, asKilledNow, cleanUp, filesIn, openSpool, recoveredFrom } from './spool-fixture.js'
import type { SpoolRecord } from './spool-record.js'

afterEach(cleanUp)

/** What a sync does takes time and cannot be seen; when it is asked for is tested elsewhere. */
const quickDisk: Disk = {
  ...systemDisk,
  syncNow: () => {},
  sync: async () => {},
  syncDirectoryNow: () => {},
  syncDirectory: async () => {},
}

const aRecord: fc.Arbitrary<SpoolRecord> = fc.record({
  partitionKey: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  explicitHashKey: fc.option(fc.maxSafeNat().map(String), { nil: undefined }),
  data: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.nat(6_000).map((bytes) => new Uint8Array(bytes).fill(7)),
  ),
})

const aStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ step: fc.constant('append' as const), record: aRecord }) },
  { weight: 5, arbitrary: fc.record({ step: fc.constant('settle' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('settle-all' as const) }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('wait' as const) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('close' as const) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('kill' as const) }) },
)

describe('whatever is done with a spool', () => {
  it('the next process gets what was not settled, in order, and after a kill perhaps what was settled last', async () => {
    const options = fc.record({
      fsync: fc.constantFrom('always' as const, 'interval' as const, 'never' as const),
      segmentBytes: fc.constantFrom(4_096, 20_000),
    })
    await fc.assert(
      fc.asyncProperty(options, fc.array(aStep, { maxLength: 60, size: 'max' }), async (options, steps) => {
        const clock = new ManualClock()
        let directory = aDirectory()
        let spool = await openSpool(directory, { ...options, clock, disk: quickDisk })
        const appended = new Map<number, SpoolRecord>()
        const unsettled = new Set<number>()
        const settledSinceWrittenDown = new Set<number>()
        let last = -1

        const reopen = async (mayRepeat: ReadonlySet<number>) => {
          spool = await openSpool(directory, { ...options, clock, disk: quickDisk })
          expect(spool.report).toEqual([])
          const recovered = await recoveredFrom(spool)
          const positions = recovered.map(({ position }) => position)
          expect(positions).toEqual(positions.toSorted((a, b) => a - b))
          for (const { position, appendedAtMs, ...record } of recovered) {
            const { data, ...rest } = appended.get(position)!
            expect(record).toEqual({ ...rest, data: Buffer.from(data) })
            expect(unsettled.has(position) || mayRepeat.has(position)).toBe(true)
            unsettled.add(position)
          }
          expect(positions).toHaveLength(unsettled.size)
          settledSinceWrittenDown.clear()
          // Positions begin anew where nothing was left.
          last = positions.at(-1) ?? -1
        }
        const settle = (position: number) => {
          spool.settle(position)
          unsettled.delete(position)
          settledSinceWrittenDown.add(position)
        }
        for (const { step, ...rest } of steps) {
          if (step === 'append') {
            const { record } = rest as { record: SpoolRecord }
            const position = spool.append(record)
            expect(position).toBeGreaterThan(last)
            last = position
            appended.set(position, record)
            unsettled.add(position)
          } else if (step === 'settle' && unsettled.size > 0) {
            settle([...unsettled][(rest as { which: number }).which % unsettled.size]!)
          } else if (step === 'settle-all') {
            for (const position of [...unsettled]) settle(position)
          } else if (step === 'wait') {
            await clock.advance(100)
            settledSinceWrittenDown.clear()
          } else if (step === 'close') {
            await spool.close()
            await reopen(new Set())
          } else if (step === 'kill') {
            const left = asKilledNow(directory)
            await spool.close()
            directory = left
            await reopen(new Set(settledSinceWrittenDown))
          }
          expect(spool.stats().unsettled).toBe(unsettled.size)
          const bytes = filesIn(directory).map((file) => statSync(join(directory, file)).size)
          expect(spool.stats().bytes).toBe(bytes.reduce((sum, size) => sum + size, 0))
        }
        for (const position of [...unsettled]) settle(position)
        await spool.close()
        expect(filesIn(directory)).toEqual([])
        await cleanUp()
      }),
      { numRuns: 100 },
    )
  })
})

/** What three processes left, a segment each, with what is in each frame of their files. */
async function aStoredSpool() {
  const directory = aDirectory()
  const positions: number[] = []
  for (let process = 0; process < 3; process++) {
    const spool = await openSpool(directory, { disk: quickDisk })
    for (let count = 0; count < 7; count++) {
      const index = positions.length
      const data = Buffer.alloc(index % 5 === 0 ? 80 : 20, `${index},`)
      positions.push(spool.append({ partitionKey: `user_${index}`, explicitHashKey: undefined, data }))
    }
    for (const position of positions.slice(-7)) if (position % 4 === 1) spool.settle(position)
    await spool.close()
  }
  const files = filesIn(directory, '.records').map((file) => {
    const bytes = readFileSync(join(directory, file))
    const first = Number(file.split('-')[1])
    let begin = 40
    const frames = [...readFrames(bytes, bytes.readUInt32LE(12), [])].map(({ index, end }) => {
      const frame = { position: first + index, begin, end }
      begin = end
      return frame
    })
    return { file, size: bytes.length, frames }
  })
  expect(files).toHaveLength(3)
  return { directory, files, unsettled: positions.filter((position) => position % 4 !== 1) }
}

async function openCopy(
  directory: string,
  change: (copy: string) => void,
): Promise<{ copy: string; spool: Spool }> {
  const copy = aDirectory()
  cpSync(directory, copy, { recursive: true })
  change(copy)
  return { copy, spool: await openSpool(copy, { disk: quickDisk }) }
}

/** Everything that was read is as it was written, and when it is settled only what was kept aside is left. */
async function expectToBeUsable(spool: Spool, copy: string): Promise<void> {
  const position = spool.append({ partitionKey: 'new', explicitHashKey: undefined, data: Buffer.from('new') })
  for (const record of await recoveredFrom(spool)) {
    expect(record.position).toBeLessThan(position)
    expect(record.partitionKey).toBe(`user_${record.position}`)
    expect(Buffer.from(record.data).toString()).toContain(`${record.position},`.slice(0, record.data.length))
    spool.settle(record.position)
  }
  spool.settle(position)
  await spool.close()
  expect(filesIn(copy).filter((file) => !file.endsWith('.corrupt'))).toEqual([])
}

describe('a segment that is cut off', () => {
  it('at any byte gives all records before that, costs no other segment, and is told', async () => {
    const { directory, files, unsettled } = await aStoredSpool()
    for (const [number, { file, size, frames }] of files.entries()) {
      if (number === 1) continue
      const isLast = number === files.length - 1
      const original = readFileSync(join(directory, file))
      for (let cut = 0; cut < size; cut++) {
        const { copy, spool } = await openCopy(directory, (copy) => truncateSync(join(copy, file), cut))
        const lost = frames.filter(({ end }) => end > cut).map(({ position }) => position)
        const recovered = (await recoveredFrom(spool)).map(({ position }) => position)
        expect(recovered).toEqual(unsettled.filter((position) => !lost.includes(position)))

        const torn = cut - (frames.findLast(({ end }) => end <= cut)?.end ?? (cut < 40 ? 0 : 40))
        if (torn > 0) {
          const reason = isLast ? 'torn-tail' : 'cut-off'
          const keptIn = join(copy, `${file}.corrupt`)
          expect(spool.report).toEqual([{ segment: file, offset: cut - torn, bytes: torn, reason, keptIn }])
          expect(readFileSync(keptIn).subarray(cut - torn)).toEqual(original.subarray(cut - torn, cut))
        } else if (!isLast && lost.some((position) => unsettled.includes(position))) {
          expect(spool.report).toMatchObject([{ segment: file, offset: cut, bytes: 0, reason: 'cut-off' }])
        } else expect(spool.report).toEqual([])
        if (cut % 50 === 0) await expectToBeUsable(spool, copy)
        else await spool.close()
        rmSync(copy, { recursive: true })
      }
    }
  })
})

describe('bytes that are flipped', () => {
  it('anywhere cost no record but those that they are in, and are told', async () => {
    const { directory, files, unsettled } = await aStoredSpool()
    const all = filesIn(directory)
    const aFlip = fc.record({
      file: fc.nat(all.length - 1),
      at: fc.nat(),
      mask: fc.integer({ min: 1, max: 255 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(aFlip, { minLength: 1, maxLength: 12 }), async (flips) => {
        const hit = new Map<string, Set<number>>()
        const { copy, spool } = await openCopy(directory, (copy) => {
          for (const { file, at, mask } of flips) {
            const path = join(copy, all[file]!)
            const bytes = readFileSync(path)
            bytes[at % bytes.length]! ^= mask
            writeFileSync(path, bytes)
          }
          for (const file of all) {
            const [before, after] = [readFileSync(join(directory, file)), readFileSync(join(copy, file))]
            hit.set(file, new Set([...before.keys()].filter((at) => before[at] !== after[at])))
          }
        })
        const intact = files.flatMap(({ file, frames }) => {
          const at = [...hit.get(file)!]
          return frames.filter(({ begin, end }) => !at.some((byte) => byte >= begin && byte < end))
        })
        const positions = (await recoveredFrom(spool)).map(({ position }) => position)
        expect(positions).toEqual(positions.toSorted((a, b) => a - b))
        for (const { position } of intact) {
          if (unsettled.includes(position)) expect(positions).toContain(position)
        }
        for (const [file, bytes] of hit) {
          for (const byte of bytes) {
            const damage = spool.report.find(
              ({ segment, offset, bytes }) => segment === file && byte >= offset && byte < offset + bytes,
            )
            expect(damage).toMatchObject({ keptIn: join(copy, `${file}.corrupt`) })
            expect(readFileSync(damage!.keptIn!)[byte]).toBeDefined()
          }
        }
        await expectToBeUsable(spool, copy)
        rmSync(copy, { recursive: true })
      }),
      { numRuns: 150 },
    )
  })

  it('even where nothing is left of a file but noise', async () => {
    const { directory, files } = await aStoredSpool()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3_000, size: 'max' }), async (noise) => {
        const { copy, spool } = await openCopy(directory, (copy) => {
          for (const file of filesIn(copy)) writeFileSync(join(copy, file), noise)
        })
        expect(await recoveredFrom(spool)).toEqual([])
        const told = spool.report.filter(({ segment }) => segment.endsWith('.records') && noise.length > 0)
        expect(told.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(noise.length * files.length)
        await expectToBeUsable(spool, copy)
        rmSync(copy, { recursive: true })
      }),
      { numRuns: 50 },
    )
  })
})
