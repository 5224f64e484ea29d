import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { refuseUnknownOptions } from '@org/kinesis-core'
import { requireText } from '../option-checks.js'
import { envelopeText, type RejectedRecord, type RejectedSink } from '../rejected-record.js'
import type { SinkResult } from '../sink.js'

/**
 * Appends rejected records to `rejected.ndjson` in a folder, one JSON document a line, and waits until they are on the disk. For one
 * process at a time; a line that a crash left torn is ended, so that it spoils no other.
 */
export function fileRejectedSink(options: { folder: string }): RejectedSink {
  refuseUnknownOptions(options, ['folder'])
  const { folder } = options
  requireText('folder', folder, 'Give the path of a folder; it is created.')
  // One after the other: lines of two writes must not mix.
  let last: Promise<unknown> = Promise.resolve()
  return {
    async write(records) {
      const written = last.then(() => append(folder, records))
      last = written.catch(() => undefined)
      return written
    },
  }
}

async function append(folder: string, records: readonly RejectedRecord[]): Promise<SinkResult[]> {
  await mkdir(folder, { recursive: true })
  const file = await open(join(folder, 'rejected.ndjson'), 'a+')
  try {
    const begin = (await endsInMidLine(file)) ? '\n' : ''
    await file.appendFile(begin + records.map((record) => `${envelopeText(record)}\n`).join(''))
    await file.sync()
  } finally {
    await file.close()
  }
  await syncFolder(folder)
  return records.map(() => ({ stored: true }))
}

async function endsInMidLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return false
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer.toString() !== '\n'
}

/** The file's name is in the folder, and must be on the disk as well. Windows cannot sync a folder, and need not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
