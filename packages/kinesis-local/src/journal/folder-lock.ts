import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidOptionError } from '@org/kinesis-core'

const CLAIM = /^lock-[\w-]+$/

/**
 * Keeps a folder for this process; returns what gives it back. A process that was killed keeps nothing.
 *
 * Each lays a claim of its own before it looks for those of others, and nobody removes one that is not over: of two that come at once
 * each sees the other, and none or one gets the folder. With one lock for all, two that both found it stale could both take it.
 */
export function lockFolder(folder: string, option: string): () => void {
  mkdirSync(folder, { recursive: true })
  const name = `lock-${process.pid}-${randomUUID()}`
  const claim = join(folder, name)
  // Under its name it is whole.
  writeFileSync(`${claim}.new`, JSON.stringify(identity(process.pid)))
  renameSync(`${claim}.new`, claim)
  for (const other of readdirSync(folder)) {
    if (!CLAIM.test(other) || other === name) continue
    const owner = ownerOf(join(folder, other))
    if (owner !== undefined && isRunning(owner)) {
      rmSync(claim, { force: true })
      throw new InvalidOptionError(
        option,
        folder,
        `Process ${owner.pid} uses it: end that one, or give another folder.`,
      )
    }
    rmSync(join(folder, other), { force: true })
  }
  return () => rmSync(claim, { force: true })
}

interface Owner {
  pid: number
  /** Tells a process from a later one with its number; null where the system does not say. */
  startedAt: string | null
}

function ownerOf(claim: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(claim, 'utf8')) as Owner
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
