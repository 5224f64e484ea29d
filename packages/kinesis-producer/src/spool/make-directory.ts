import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Disk } from './disk.js'

/** What it makes is this user's alone, and durable where there is a disk to tell. */
export function makeDirectory(directory: string, disk: Disk | undefined): void {
  const topmost = mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (topmost === undefined || disk === undefined) return
  // Each name is durable when the directory that it stands in is.
  for (let made = directory; made.length >= topmost.length; made = dirname(made)) {
    disk.syncDirectoryNow(dirname(made))
  }
}
