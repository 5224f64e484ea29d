import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeDurably, writeDurablySync } from './durable-file.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinesis-local-durable-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('a durable file', () => {
  it.each([
    ['in its time', writeDurably],
    ['at once', writeDurablySync],
  ])('is there whole, in place of the one before, and nothing else is, written %s', async (_, write) => {
    await write(folder, 'a/b', Buffer.from('old'))
    await write(folder, 'a/b', Buffer.from('new'))

    expect(await readFile(join(folder, 'a/b'), 'utf8')).toBe('new')
    expect(await readdir(join(folder, '.incomplete'))).toEqual([])
  })

  it('takes away what killed processes left behind, and nothing that one at work may finish', async () => {
    const incomplete = join(folder, '.incomplete')
    const dead = spawn(process.execPath, ['-e', ''])
    await once(dead, 'exit')
    const [ofTheDead, ofAParent, ours, ofOurIdBefore, ofNobody] = [
      ...[`${dead.pid}-a`, `${process.ppid}-a`, `${process.pid}-new`, `${process.pid}-old`, 'notes'],
    ] as [string, string, string, string, string]
    await mkdir(incomplete)
    for (const name of [ofTheDead, ofAParent, ours, ofOurIdBefore, ofNobody])
      await writeFile(join(incomplete, name), 'half')
    await utimes(join(incomplete, ofOurIdBefore), 1, 1)

    await writeDurably(folder, 'object', Buffer.from('whole'))

    expect((await readdir(incomplete)).sort()).toEqual([ofAParent, ours, ofNobody].sort())
  })
})
