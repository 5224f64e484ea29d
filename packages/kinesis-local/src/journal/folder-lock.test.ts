import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockFolder } from './folder-lock.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kinesis-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const claims = () => readdirSync(folder).filter((name) => name.startsWith('lock'))

describe('a folder', () => {
  it('is had once at a time, and is free again when it was given back', () => {
    const unlock = lockFolder(folder, 'dataDir')
    expect(() => lockFolder(folder, 'dataDir')).toThrow(`Process ${process.pid} uses it`)
    unlock()
    expect(claims()).toEqual([])
    lockFolder(folder, 'dataDir')()
  })

  it('is free where those who had it are gone, even if another process has their number', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    writeFileSync(join(folder, 'lock-1-a'), JSON.stringify({ pid: child.pid, startedAt: '1' }))
    if (process.platform === 'linux')
      writeFileSync(join(folder, 'lock-2-b'), JSON.stringify({ pid: process.pid, startedAt: 'earlier' }))
    writeFileSync(join(folder, 'lock-3-c'), 'torn')

    const unlock = lockFolder(folder, 'dataDir')
    expect(claims()).toHaveLength(1)
    unlock()
  })

  it('is not taken from the one that has it by another that found what was there before it', () => {
    writeFileSync(join(folder, 'lock-1-a'), 'torn')
    const unlock = lockFolder(folder, 'dataDir')
    const [claim] = claims()

    // As a process does that saw the torn claim too, and is only now about to remove it.
    rmSync(join(folder, 'lock-1-a'), { force: true })
    expect(() => lockFolder(folder, 'dataDir')).toThrow('uses it')
    expect(claims()).toEqual([claim])
    unlock()
  })
})
