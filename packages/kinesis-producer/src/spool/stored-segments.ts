import { readdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Disk } from './disk.js'
import { readFrameFile } from './frame-file.js'
import { parseSegmentFile, Segment, type SegmentName, segmentPaths } from './segment.js'
import { type DamagedRange, mostFrames, readFrames, type SegmentHeader } from './segment-format.js'
import { decodeRuns, SettledFile } from './settled-file.js'
import { SettledRecords } from './settled-records.js'
import type { SpoolDamage } from './spool-damage.js'
import { type RecoveredRecord, readRecord } from './spool-record.js'

/** The segments that a directory holds, oldest first, and what is damaged in them. Those with nothing left to settle are removed. */
export async function readStoredSegments(
  directory: string,
  disk: Disk,
): Promise<{ segments: Segment[]; damage: SpoolDamage[]; next: number }> {
  const files = readdirSync(directory).flatMap((file) => parseSegmentFile(file) ?? [])
  const names = files.filter(({ kind }) => kind === 'records').sort((a, b) => a.first - b.first)
  const bases = new Set(names.map(({ base }) => base))
  for (const { base, kind } of files) {
    if (kind === 'settled' && !bases.has(base)) {
      rmSync(segmentPaths(directory, base).settled, { force: true })
    }
  }
  const damage: SpoolDamage[][] = []
  const segments: Segment[] = []
  let following: SegmentHeader | undefined
  let next = 0
  // From the last, because a segment's header tells where the one before it ends.
  for (const [index, name] of names.toReversed().entries()) {
    const stored = await readStoredSegment(disk, directory, name, index === 0, following)
    following = stored.header
    next = Math.max(next, stored.next)
    damage.unshift(stored.damage)
    if (stored.segment === undefined) continue
    if (stored.segment.settled.unsettled === 0 && !stored.segment.mustStay) stored.segment.remove()
    else segments.unshift(stored.segment)
  }
  return { segments, damage: damage.flat(), next }
}

/** The records of a segment that are not settled when it is their turn. What cannot be read now, and could be before, is told. */
export async function* unsettledRecords(
  segment: Segment,
  known: readonly SpoolDamage[],
  onDamage: (damage: SpoolDamage) => void,
): AsyncGenerator<RecoveredRecord> {
  const ranges: DamagedRange[] = []
  for (const { index, payload } of readFrames(await readFile(segment.path), segment.salt, ranges)) {
    if (index < segment.settled.count && !segment.settled.has(index)) {
      yield readRecord(payload, segment.first + index)
    }
  }
  const file = basename(segment.path)
  const offsets = new Set(known.filter((damage) => damage.segment === file).map(({ offset }) => offset))
  for (const { offset, bytes, reason } of ranges) {
    if (offsets.has(offset)) continue
    onDamage({
      segment: file,
      offset,
      bytes,
      reason: reason === 'incomplete' ? 'cut-off' : reason,
      keptIn: undefined,
    })
  }
}

interface StoredSegment {
  /** Undefined where its file cannot be read; it is left where it is. */
  segment: Segment | undefined
  header: SegmentHeader | undefined
  damage: SpoolDamage[]
  /** A position that none of its records has, not even one that cannot be read today. */
  next: number
}

async function readStoredSegment(
  disk: Disk,
  directory: string,
  name: SegmentName,
  isLast: boolean,
  following: SegmentHeader | undefined,
): Promise<StoredSegment> {
  const paths = segmentPaths(directory, name.base)
  const file = basename(paths.records)
  const settled = new SettledRecords()
  const records = await readFrameFile(
    disk,
    directory,
    { name: file, kind: 'records', salt: name.salt, mayBeTorn: isLast },
    ({ index }) => {
      settled.addLost(index - settled.count)
      settled.add()
    },
  )
  const { first, salt } = records.header ?? name
  const damagedBytes = records.damage.reduce((sum, { bytes }) => sum + bytes, 0)
  const next = first + settled.count + mostFrames(damagedBytes)
  if (records.damage[0]?.reason === 'unreadable') {
    return { segment: undefined, header: undefined, damage: records.damage, next }
  }
  const end = following?.previous?.first === first ? following.previous.count : settled.count
  let settledBehind = 0
  const noted = await readFrameFile(
    disk,
    directory,
    { name: basename(paths.settled), kind: 'settled', salt, mayBeTorn: true },
    ({ payload }) => {
      for (const run of decodeRuns(payload)) {
        settled.restore(run.first, run.length)
        settledBehind += overlap(run, settled.count, end)
      }
    },
  )
  const damage = [...records.damage, ...noted.damage]
  if (settled.count + settledBehind < end && !records.endsDamaged) {
    damage.push({ segment: file, offset: records.bytes, bytes: 0, reason: 'cut-off', keptIn: undefined })
  }
  return {
    segment: new Segment({
      first,
      salt,
      path: paths.records,
      settled,
      settledFile: new SettledFile(paths.settled, { first, salt }, noted.bytes, noted.nextIndex),
      storedBytes: records.bytes,
      mustStay: records.damage.some(({ keptIn }) => keptIn === undefined),
    }),
    header: records.header,
    damage,
    next: Math.max(next, first + end),
  }
}

function overlap(run: { first: number; length: number }, from: number, to: number): number {
  return Math.max(0, Math.min(run.first + run.length, to) - Math.max(run.first, from))
}
