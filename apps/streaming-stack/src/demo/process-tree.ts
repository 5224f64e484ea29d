import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

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

type ProcessEntry = Omit<ProcessSample, 'role'> & { parent: number }

/** A process and everything under it: from Linux's /proc, else from `ps`, which tells no processor time. */
export function processTree(root: number): ProcessSample[] {
  const all = existsSync('/proc/self/stat') ? entriesOfProc() : entriesOfPs()
  const isBelow = (pid: number): boolean => {
    if (pid === root) return true
    const entry = all.get(pid)
    return entry !== undefined && entry.parent !== 0 && isBelow(entry.parent)
  }
  return [...all.values()]
    .filter(({ pid }) => isBelow(pid))
    .map(({ pid, cpuMs, rssBytes }) => ({ pid, role: pid === root ? 'main' : roleOf(pid), cpuMs, rssBytes }))
}

function entriesOfPs(): Map<number, ProcessEntry> {
  const listing = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8' })
  const entries = new Map<number, ProcessEntry>()
  for (const line of listing.trim().split('\n')) {
    const [pid = 0, parent = 0, rssKiB = 0] = line.trim().split(/\s+/).map(Number)
    entries.set(pid, { pid, parent, cpuMs: 0, rssBytes: rssKiB * 1024 })
  }
  return entries
}

function entriesOfProc(): Map<number, ProcessEntry> {
  const entries = new Map<number, ProcessEntry>()
  for (const name of list('/proc')) {
    const pid = Number(name)
    const stat = Number.isInteger(pid) ? read(`/proc/${pid}/stat`) : ''
    if (stat === '') continue
    // The command's own name is in parentheses, and may hold anything.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    entries.set(pid, {
      pid,
      parent: fields[1]!,
      cpuMs: (fields[11]! + fields[12]!) * MS_PER_TICK,
      rssBytes: fields[21]! * PAGE_BYTES,
    })
  }
  return entries
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
