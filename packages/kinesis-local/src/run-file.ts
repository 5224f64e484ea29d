import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The folder of a run and its `local.json`, by which other programs find the run. */
export interface RunFolder {
  path: string
  announce(url: string, region: string): Promise<void>
  close(): Promise<void>
}

export async function openRunFolder(dataDir: string | undefined): Promise<RunFolder> {
  const path = dataDir ?? (await mkdtemp(join(tmpdir(), 'kinesis-local-')))
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true })
  const file = join(path, 'local.json')
  return {
    path,
    async announce(url, region) {
      const run = { url, region, pid: process.pid, token: randomBytes(24).toString('base64url') }
      // For its owner alone: the token is what will permit changes from a page.
      await writeFile(file, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 })
    },
    async close() {
      if (dataDir === undefined) await rm(path, { recursive: true, force: true })
      else await rm(file, { force: true })
    },
  }
}
