import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { lockDirectory } from './directory-lock.js'
import { aDirectory, cleanUp } from './spool-fixture.js'

afterEach(cleanUp)

const claims = (directory: string) => readdirSync(directory).filter((name) => name.startsWith('lock-'))

/** Another process that keeps the directory. */
async function anOwner(directory: string, name = 'lock-1-0123abcd') {
  const script = `require('node:net').createServer().listen(${JSON.stringify(join(directory, name))}, () => console.log('listens'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

describe('a directory', () => {
  it('is had once at a time, and is free again when it was given back', async () => {
    const directory = aDirectory()
    const release = await lockDirectory(directory)
    await expect(lockDirectory(directory)).rejects.toMatchObject({
      code: 'SPOOL_IN_USE',
      retryable: true,
      message: expect.stringContaining(`its number is ${process.pid}`),
    })
    release()
    expect(claims(directory)).toEqual([])
    const again = await lockDirectory(directory)
    again()
  })

  it('is not taken from another process that lives, and is when that was killed', async () => {
    const directory = aDirectory()
    const kill = await anOwner(directory)
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: 'SPOOL_IN_USE' })
    expect(claims(directory)).toEqual(['lock-1-0123abcd'])

    await kill()
    const release = await lockDirectory(directory)
    expect(claims(directory)).toHaveLength(1)
    release()
  })

  it('is not taken by a claim that was never completed', async () => {
    const directory = aDirectory()
    const kill = await anOwner(directory, 'lock-1-0123abcd.new')
    await kill()
    writeFileSync(join(directory, 'lock-2-0123abcd'), 'no socket')
    const release = await lockDirectory(directory)
    expect(claims(directory)).toHaveLength(1)
    release()
  })

  it('goes to one or to none of those that come at once', async () => {
    for (let round = 0; round < 20; round++) {
      const directory = aDirectory()
      const results = await Promise.allSettled(Array.from({ length: 5 }, () => lockDirectory(directory)))
      const had = results.filter(({ status }) => status === 'fulfilled')
      expect(had.length).toBeLessThanOrEqual(1)
      expect(claims(directory)).toHaveLength(had.length)
      for (const result of results) if (result.status === 'fulfilled') result.value()
    }
  })

  it.runIf(process.platform === 'linux')('may have a longer path than a socket', async () => {
    const directory = join(aDirectory(), 'd'.repeat(100), 'e'.repeat(100))
    mkdirSync(directory, { recursive: true })
    const release = await lockDirectory(directory)
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: 'SPOOL_IN_USE' })
    release()
    const again = await lockDirectory(directory)
    again()
  })

  it('is not left locked where it cannot be', async () => {
    await expect(lockDirectory(join(aDirectory(), 'missing'))).rejects.toMatchObject({
      code: 'SPOOL_FAILED',
      message: expect.stringContaining('locked by a socket'),
    })
  })
})
