import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Resident memory of this process and everything it started, at its highest seen. Read from `ps`, which Linux and macOS have;
 * where there is none, this process alone is counted.
 */
export class MemoryWatch {
  peakBytes = 0
  #sampling = false

  async sample(): Promise<void> {
    if (this.#sampling) return
    this.#sampling = true
    try {
      this.peakBytes = Math.max(this.peakBytes, await treeRssBytes())
    } finally {
      this.#sampling = false
    }
  }
}

async function treeRssBytes(): Promise<number> {
  const own = process.memoryUsage.rss()
  const listing = await run('ps', ['-A', '-o', 'pid=,ppid=,rss=']).catch(() => undefined)
  if (listing === undefined) return own
  const children = new Map<number, { pid: number; rssBytes: number }[]>()
  for (const line of listing.stdout.split('\n')) {
    const [pid, parent, rssKiB] = line.trim().split(/\s+/).map(Number)
    if (pid === undefined || parent === undefined || rssKiB === undefined) continue
    const siblings = children.get(parent) ?? []
    siblings.push({ pid, rssBytes: rssKiB * 1024 })
    children.set(parent, siblings)
  }
  const total = (pid: number): number =>
    (children.get(pid) ?? []).reduce((sum, child) => sum + child.rssBytes + total(child.pid), 0)
  return own + total(process.pid)
}
