import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createRunFolders, findRunFolders, keepAsLatest } from './data-dir.js'

const folder = mkdtempSync(join(tmpdir(), 'data-dir-test-'))
writeFileSync(join(folder, 'file'), '')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('createRunFolders', () => {
  it('makes the folders of a run and those above them', async () => {
    const { lake, failures } = await createRunFolders(join(folder, 'a/b/run'))

    expect(existsSync(lake) && existsSync(failures)).toBe(true)
  })

  it('refuses a folder that is in a file', async () => {
    await expect(createRunFolders(join(folder, 'file/run'))).rejects.toThrow(/ENOTDIR.*--data/)
  })

  it.skipIf(process.platform !== 'linux')(
    'refuses a folder where none can be made, instead of trying for ever',
    async () => {
      await expect(createRunFolders('/proc/foo')).rejects.toThrow('/proc/foo cannot be used (ENOENT)')
    },
  )
})

describe('keepAsLatest', () => {
  it('makes a run the latest one, and removes those before it whose process has ended', async () => {
    const parent = join(folder, 'runs')
    const earlier = join(parent, 'run-999999999-1')
    mkdirSync(join(earlier, 'lake'), { recursive: true })
    writeFileSync(join(parent, 'latest'), earlier)

    const folders = await createRunFolders(undefined, parent)
    expect((await findRunFolders(undefined, parent)).root).toBe(earlier)

    await keepAsLatest(folders, parent)
    expect((await findRunFolders(undefined, parent)).root).toBe(folders.root)
    expect(existsSync(earlier)).toBe(false)
  })

  it('leaves the runs without a name alone when the latest has one', async () => {
    const parent = join(folder, 'others')
    const earlier = join(parent, 'run-999999999-1')
    mkdirSync(earlier, { recursive: true })

    await keepAsLatest(await createRunFolders(join(folder, 'named'), parent), parent)

    expect(existsSync(earlier)).toBe(true)
  })
})
