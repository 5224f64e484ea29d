import { readFileSync } from 'node:fs'

/** Of Linux, which every figure of processor time is from; it has counted a hundred ticks a second for decades. */
const TICKS_PER_SECOND = 100

/** Processor time and resident memory of a process so far; undefined where the system does not tell. */
export function usageOf(pid: number): { cpuSeconds: number; rssBytes: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const rssKib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      rssBytes: rssKib * 1024,
    }
  } catch {
    return undefined
  }
}
