import { readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { decodeEntries, type JournalEntry } from './journal-entry.js'

const NAME = /^segment-(\d{8})\.log$/

export interface StoredSegment {
  number: number
  path: string
}

export function segmentPath(folder: string, number: number): string {
  return join(folder, `segment-${String(number).padStart(8, '0')}.log`)
}

/** The segments of a folder, oldest first. One that was never finished is removed: it holds nothing of its own. */
export function storedSegments(folder: string): StoredSegment[] {
  const names = readdirSync(folder)
  for (const name of names) if (name.endsWith('.incomplete')) rmSync(join(folder, name))
  return names
    .flatMap((name) => {
      const number = Number(NAME.exec(name)?.[1] ?? Number.NaN)
      return Number.isNaN(number) ? [] : [{ number, path: join(folder, name) }]
    })
    .sort((a, b) => a.number - b.number)
}

/**
 * The entries of a segment. A process that is killed in mid-write leaves a part of an entry at the end of the last segment: it was not
 * acknowledged, and is cut off. Anything else that cannot be read is damage. Both are told, with the bytes that they cost.
 */
export function* readSegment(
  { path }: StoredSegment,
  isLast: boolean,
  onWarning: (message: string) => void,
): Generator<JournalEntry> {
  const bytes = readFileSync(path)
  const end = yield* decodeEntries(bytes)
  const lost = bytes.length - end
  if (lost === 0) return
  if (isLast) {
    truncateSync(path, end)
    onWarning(`The last ${lost} bytes of ${path} were torn off by the end of the process, and are dropped.`)
  } else {
    onWarning(`${path} is damaged at byte ${end}: the ${lost} bytes from there on cannot be read.`)
  }
}
