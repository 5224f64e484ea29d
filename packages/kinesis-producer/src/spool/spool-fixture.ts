import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '@org/kinesis-core/testing'
import { ProducerError } from '../producer-errors.js'
import { type Disk, systemDisk } from './disk.js'
import { Spool, type SpoolContext } from './spool.js'
import { resolveSpoolOptions, type SpoolOptions } from './spool-options.js'
import type { RecoveredRecord, SpoolRecord } from './spool-record.js'

const made: string[] = []
const open: Spool[] = []

export function aDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kinesis-spool-'))
  made.push(directory)
  return directory
}

export async function cleanUp(): Promise<void> {
  for (const spool of open.splice(0)) await spool.close().catch(() => {})
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
}

export async function openSpool(
  directory: string,
  { clock = new ManualClock(), disk, onFailed, ...options }: Partial<SpoolOptions & SpoolContext> = {},
): Promise<Spool> {
  const context = { clock, ...(disk && { disk }), ...(onFailed && { onFailed }) }
  const spool = await Spool.open(resolveSpoolOptions({ directory, ...options }), context)
  open.push(spool)
  return spool
}

/** The files as a process leaves them that is killed now. */
export function asKilledNow(directory: string): string {
  const copy = aDirectory()
  cpSync(directory, copy, { recursive: true, filter: (path) => !path.includes('/lock-') })
  return copy
}

/** A spool, with segments of 4,500 bytes, that has taken so many records of 1,000 bytes: four to a segment. */
export async function aFilledSpool(records: number, options: Parameters<typeof openSpool>[1] = {}) {
  const directory = aDirectory()
  const spool = await openSpool(directory, { segmentBytes: 4_500, ...options })
  const positions = Array.from({ length: records }, (_, index) =>
    spool.append(aRecord(String(index).padEnd(1_000, '.'))),
  )
  return { directory, spool, positions }
}

export function thrownBy(call: () => unknown): ProducerError {
  try {
    call()
  } catch (error) {
    if (error instanceof ProducerError) return error
    throw error
  }
  throw new Error('Nothing was thrown.')
}

export function aRecord(data: string | Uint8Array = 'data', partitionKey = 'user_1'): SpoolRecord {
  return { partitionKey, explicitHashKey: undefined, data: Buffer.from(data) }
}

export async function recoveredFrom(spool: Spool): Promise<RecoveredRecord[]> {
  const records: RecoveredRecord[] = []
  for await (const record of spool.recovered) records.push(record)
  return records
}

export async function dataIn(spool: Spool): Promise<string[]> {
  return (await recoveredFrom(spool)).map(({ data }) => Buffer.from(data).toString())
}

export function filesIn(directory: string, end = ''): string[] {
  return readdirSync(directory)
    .filter((name) => !name.startsWith('lock-') && name.endsWith(end))
    .sort()
}

export function contentsOf(directory: string, file: string): Buffer {
  return readFileSync(join(directory, file))
}

/** The system's disk, which fails where and when a test says so, and tells what was asked of it. */
export class FaultyDisk implements Disk {
  /** Throws, or lets the call pass. */
  write: Disk['write'] = systemDisk.write
  truncate: Disk['truncate'] = systemDisk.truncate
  readonly calls: ('syncNow' | 'sync' | 'syncDirectoryNow' | 'syncDirectory')[] = []
  syncFault: NodeJS.ErrnoException | undefined

  syncNow(file: number): void {
    this.#asked('syncNow')
    systemDisk.syncNow(file)
  }
  async sync(file: number): Promise<void> {
    this.#asked('sync')
    await systemDisk.sync(file)
  }
  syncDirectoryNow(directory: string): void {
    this.#asked('syncDirectoryNow')
    systemDisk.syncDirectoryNow(directory)
  }
  async syncDirectory(directory: string): Promise<void> {
    this.#asked('syncDirectory')
    await systemDisk.syncDirectory(directory)
  }

  #asked(call: FaultyDisk['calls'][number]): void {
    this.calls.push(call)
    if (this.syncFault !== undefined) throw this.syncFault
  }
}

export function diskError(code: 'ENOSPC' | 'EIO'): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: the disk refuses`), { code })
}
