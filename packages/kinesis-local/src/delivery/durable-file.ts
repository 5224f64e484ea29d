import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Where files are until they are whole; beside the others, so that a rename is atomic. */
const INCOMPLETE = '.incomplete'

/**
 * Writes `name` (slashes make folders) under `folder` as an object store would: it is there whole, or not at all, and once this
 * resolves it survives a crash of the machine.
 */
export async function writeDurably(folder: string, name: string, data: Uint8Array): Promise<void> {
  const target = join(folder, name)
  const incomplete = incompleteIn(folder)
  await mkdir(dirname(target), { recursive: true })
  await mkdir(dirname(incomplete), { recursive: true })
  await removeLeftovers(dirname(incomplete))
  try {
    const file = await open(incomplete, 'wx')
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(incomplete, target)
  } catch (error) {
    await rm(incomplete, { force: true })
    throw error
  }
  await syncFolder(dirname(target))
}

/** As `writeDurably`, for what must be there before anything else begins. */
export function writeDurablySync(folder: string, name: string, data: Uint8Array): void {
  const target = join(folder, name)
  const incomplete = incompleteIn(folder)
  mkdirSync(dirname(target), { recursive: true })
  mkdirSync(dirname(incomplete), { recursive: true })
  try {
    writeFileSync(incomplete, data, { flag: 'wx', flush: true })
    renameSync(incomplete, target)
  } catch (error) {
    rmSync(incomplete, { force: true })
    throw error
  }
  if (process.platform === 'win32') return
  const handle = openSync(dirname(target), 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Says whose it is, so that it can be removed once its process is gone. */
function incompleteIn(folder: string): string {
  return join(folder, INCOMPLETE, `${process.pid}-${randomUUID()}`)
}

/** What processes that were killed were about to write: nobody will finish it. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const pid = Number(/^(\d+)-/.exec(name)?.[1])
    if (pid > 0 && !(await isAtWork(pid, path))) await rm(path, { force: true })
  }
}

async function isAtWork(pid: number, path: string): Promise<boolean> {
  if (pid === process.pid) {
    // In a container each process may have the same id as the one before.
    const startedAtMs = Date.now() - process.uptime() * 1_000
    return stat(path).then(
      ({ mtimeMs }) => mtimeMs >= startedAtMs,
      () => false,
    )
  }
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** The new name is durable only when its folder is. Windows cannot open folders, and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
