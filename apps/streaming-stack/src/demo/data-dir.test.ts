import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createRunFolders } from './data-dir.js'

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
