import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Where files are until they are whole; beside the others, so that a rename is atomic. */
const INCOMPLETE = '.incomplete'

/**
 * Writes `name` (slashes make folders) under `folder` as an object store would: it is there whole, or not at all, and once this
 * resolves it survives a crash of the machine.
 */
export async function writeDurably(folder: string, name: string, data: Uint8Array): Promise<void> {
  const target = join(folder, name)
  const incomplete = join(folder, INCOMPLETE, randomUUID())
  await mkdir(dirname(target), { recursive: true })
  await mkdir(dirname(incomplete), { recursive: true })
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
