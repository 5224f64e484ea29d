import { readFile } from 'node:fs/promises'

/** Linux tells the resident size of any process; elsewhere the child reports its own. */
export const canReadResidentMemory = process.platform === 'linux'

/** Bytes that a process holds in memory, Buffers and all; undefined where it is gone. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}
