import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidOptionError } from '@org/kinesis-core'

/** Keeps a folder for this process; returns what gives it back. A process that was killed keeps nothing. */
export function lockFolder(folder: string, option: string): () => void {
  mkdirSync(folder, { recursive: true })
  const lock = join(folder, 'lock')
  const fresh = `${lock}.${process.pid}`
  writeFileSync(fresh, JSON.stringify(identity(process.pid)))
  try {
    while (!linked(fresh, lock)) {
      const owner = ownerOf(lock)
      if (owner !== undefined && isRunning(owner)) {
        throw new InvalidOptionError(
          option,
          folder,
          `Process ${owner.pid} uses it: end that one, or give another folder.`,
        )
      }
      rmSync(lock, { force: true })
    }
  } finally {
    rmSync(fresh, { force: true })
  }
  return () => rmSync(lock, { force: true })
}

interface Owner {
  pid: number
  /** Tells a process from a later one with its number; null where the system does not say. */
  startedAt: string | null
}

/** A link is made whole or not at all, so that of two processes one gets it. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function ownerOf(lock: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(lock, 'utf8')) as Owner
    return Number.isSafeInteger(owner.pid) ? owner : undefined
  } catch {
    return undefined
  }
}

function isRunning({ pid, startedAt }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // It runs, but is another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return startedAt === null || identity(pid).startedAt === startedAt
}

function identity(pid: number): Owner {
  try {
    // The 22nd field is the start in ticks since boot; the second, a name, may hold spaces and ends with the last parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return { pid, startedAt: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null }
  } catch {
    return { pid, startedAt: null }
  }
}
