import { type FileHandle, open } from 'node:fs/promises'
import { refuseUnknownOptions } from '@org/kinesis-core'
import { requireText } from '../option-checks.js'
import { recordIdentity } from '../rejected-record.js'
import { envelopeLines } from './envelope-lines.js'
import {
  type RejectedEntry,
  type RejectedRemoval,
  type RejectedSource,
  readEnvelope,
} from './rejected-source.js'

export interface FileRejectedEntry extends RejectedEntry {
  /** From 1. */
  readonly line: number
  /** Where the line begins, and how long it is, in bytes. */
  readonly offset: number
  readonly length: number
}

/**
 * Rejected records in a file of newline-delimited JSON, as `fileRejectedSink` writes it: `<folder>/rejected.ndjson`. It reads as far as the
 * file goes when it begins. What is taken away is overwritten with blanks where it stands, so that a handler may go on appending to the file;
 * the file does not shrink.
 */
export function fileRejectedSource(options: { file: string }): RejectedSource<FileRejectedEntry> {
  refuseUnknownOptions(options, ['file'])
  const { file: path } = options
  requireText('file', path, 'Give the path of a file of newline-delimited JSON.')
  return {
    async *entries({ signal } = {}) {
      const file = await open(path, 'r')
      try {
        const { size } = await file.stat()
        if (size === 0) return
        const chunks = file.createReadStream({ start: 0, end: size - 1, autoClose: false })
        for await (const { number, ...found } of envelopeLines(chunks)) {
          if (signal?.aborted) return
          yield { place: `${path}:${number}`, line: number, ...found }
        }
      } finally {
        await file.close()
      }
    },
    async remove(entries) {
      const file = await open(path, 'r+')
      try {
        const removals: RejectedRemoval[] = []
        for (const entry of entries) removals.push(await blank(file, entry))
        await file.sync()
        return removals
      } finally {
        await file.close()
      }
    },
    async release() {},
  }
}

/** Only where the record still stands: someone may have written another file in the meantime. */
async function blank(
  file: FileHandle,
  { record, place, offset, length }: FileRejectedEntry,
): Promise<RejectedRemoval> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
  const found = bytesRead === length ? readEnvelope(buffer.toString()).record : undefined
  if (record === undefined || found === undefined || recordIdentity(found) !== recordIdentity(record)) {
    return { removed: false, error: new Error(`${place} holds something else by now; nothing was changed.`) }
  }
  await file.write(Buffer.alloc(length, ' '), 0, length, offset)
  return { removed: true }
}
