import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { RejectedRecord, RejectedSink } from './rejected-record.js'

/** Appends rejected records to `rejected.ndjson` in a folder, and waits until they are on the disk. */
export function fileRejectedSink({ folder }: { folder: string }): RejectedSink {
  return {
    async write(records: readonly RejectedRecord[]) {
      await mkdir(folder, { recursive: true })
      const file = await open(join(folder, 'rejected.ndjson'), 'a')
      try {
        await file.appendFile(records.map((record) => `${JSON.stringify(record)}\n`).join(''))
        await file.sync()
      } finally {
        await file.close()
      }
      return records.map(() => ({ stored: true }))
    },
  }
}
