import { readFileSync } from 'node:fs'

/** Linux tells the resident size of any process; elsewhere the child reports its own. */
export const canReadResidentMemory = process.platform === 'linux'

/** Bytes that a process holds in memory, Buffers and all; undefined where it is gone, or nobody can tell. No disk is asked. */
export function residentBytes(pid: number): number | undefined {
  if (!canReadResidentMemory) return undefined
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  }
}
