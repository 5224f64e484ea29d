import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidOptionError } from '@org/kinesis-core'

/** What `local.json` holds. */
export interface RunDescription {
  url: string
  region: string
  pid: number
  /** New for every run: the secret of whoever may read the file. */
  token: string
}

/** The folder of a run and its `local.json`, by which other programs find the run. */
export interface RunFolder {
  path: string
  announce(url: string, region: string): Promise<void>
  close(): Promise<void>
}

export async function openRunFolder(dataDir: string | undefined): Promise<RunFolder> {
  const path = dataDir === undefined ? await mkdtemp(join(tmpdir(), 'kinesis-local-')) : await made(dataDir)
  const file = join(path, 'local.json')
  const token = randomBytes(24).toString('base64url')
  return {
    path,
    async announce(url, region) {
      const run: RunDescription = { url, region, pid: process.pid, token }
      const fresh = `${file}.${process.pid}`
      // For its owner alone, and never half written: the mode holds only for a file that is new.
      await rm(fresh, { force: true })
      await writeFile(fresh, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 })
      await rename(fresh, file)
    },
    async close() {
      if (dataDir === undefined) await rm(path, { recursive: true, force: true })
      // A later run in the same folder has written its own.
      else if ((await tokenIn(file)) === token) await rm(file, { force: true })
    },
  }
}

async function made(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true })
    return dataDir
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new InvalidOptionError('dataDir', dataDir, `It cannot be made (${code}): give a folder that can.`)
  }
}

async function tokenIn(file: string): Promise<unknown> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as Partial<RunDescription>).token
  } catch {
    return undefined
  }
}
