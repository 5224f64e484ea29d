import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessSample {
  pid: number
  /** The Lambda function that runs in it, the script that it runs, or `main`. */
  role: string
  /** User and system time so far, in milliseconds. */
  cpuMs: number
  rssBytes: number
}

/** Linux counts processor time in these, whatever the machine (`man 5 proc`, USER_HZ). */
const MS_PER_TICK = 10
const PAGE_BYTES = 4_096

/** A process and everything under it, from Linux's /proc; elsewhere there is nothing to read, and the list is empty. */
export function processTree(root: number): ProcessSample[] {
  const all = new Map<number, { parent: number; sample: ProcessSample }>()
  for (const name of list('/proc')) {
    const pid = Number(name)
    const stat = Number.isInteger(pid) ? read(`/proc/${pid}/stat`) : ''
    if (stat === '') continue
    // The command's own name is in parentheses, and may hold anything.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const sample = {
      pid,
      role: pid === root ? 'main' : roleOf(pid),
      cpuMs: (fields[11]! + fields[12]!) * MS_PER_TICK,
      rssBytes: fields[21]! * PAGE_BYTES,
    }
    all.set(pid, { parent: fields[1]!, sample })
  }
  const isBelow = (pid: number): boolean => {
    if (pid === root) return true
    const entry = all.get(pid)
    return entry !== undefined && entry.parent !== 0 && isBelow(entry.parent)
  }
  return [...all.values()].filter(({ sample }) => isBelow(sample.pid)).map(({ sample }) => sample)
}

function roleOf(pid: number): string {
  const environment = read(`/proc/${pid}/environ`)
  const named = /(?:^|\0)AWS_LAMBDA_FUNCTION_NAME=([^\0]*)/.exec(environment)?.[1]
  return named ?? read(`/proc/${pid}/cmdline`).split('\0')[1]?.split('/').slice(-3).join('/') ?? 'unknown'
}

/** A process may end while it is looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
