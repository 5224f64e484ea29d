import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '@org/kinesis-core'
import { afterEach, describe, expect, it } from 'vitest'
import { aDirectory, cleanUp, openSpool, recoveredFrom } from '../src/spool/spool-fixture.js'

afterEach(cleanUp)

const childFile = fileURLToPath(new URL('./spool-child.mjs', import.meta.url))

/** Runs it to its end, or kills it when it has printed so much of what it appends. */
async function run(
  options: { directory: string; fsync: string; records: number; close?: boolean },
  killAfterBytes = Number.POSITIVE_INFINITY,
) {
  const child = spawn(process.execPath, [childFile, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (text: Buffer) => {
    printed += text.toString()
    const begin = printed.indexOf('ready\n')
    if (begin !== -1 && printed.length - begin >= killAfterBytes) child.kill('SIGKILL')
  })
  // 'close' comes when all that was printed is read, too.
  const [code] = (await once(child, 'close')) as [number | null]
  const lines = (word: string) =>
    [...printed.matchAll(new RegExp(`^${word} (\\d+)\n`, 'gm'))].map(([, position]) => Number(position))
  return { code, appended: lines('appended'), settled: lines('settled'), recovered: lines('recovered') }
}

describe('a process that is killed amid its appends', () => {
  it.each(['never', 'interval', 'always'])("loses none that had returned, with fsync '%s'", async (fsync) => {
    const random = seededRandom(fsync.length)
    const directory = aDirectory()
    let unsettled: number[] = []
    for (let kill = 0; kill < 4; kill++) {
      const killed = await run({ directory, fsync, records: 1_000_000 }, Math.floor(random() * 20_000))
      expect(killed.code).toBeNull()
      for (const position of unsettled) expect(killed.recovered).toContain(position)
      unsettled = [...killed.recovered, ...killed.appended].filter(
        (position) => !killed.settled.includes(position),
      )
    }
    const spool = await openSpool(directory)
    const recovered = await recoveredFrom(spool)
    const positions = new Set(recovered.map(({ position }) => position))
    expect(unsettled.filter((position) => !positions.has(position))).toEqual([])
    for (const { partitionKey, data } of recovered) {
      const count = Number(partitionKey.slice('user_'.length))
      expect(data).toEqual(Buffer.alloc((count * 37) % 1_000, `${count},`))
    }
  })
})

describe('a process that has a spool', () => {
  it('ends by itself, and the next takes over what it did not settle', async () => {
    const directory = aDirectory()
    const first = await run({ directory, fsync: 'interval', records: 10 })
    expect(first.code).toBe(0)
    const second = await run({ directory, fsync: 'interval', records: 0, close: true })
    expect(second.code).toBe(0)
    expect(second.recovered).toEqual(first.appended.filter((position) => !first.settled.includes(position)))
  })
})
