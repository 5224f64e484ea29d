import { createReadStream, fstatSync, type ReadStream } from 'node:fs'
import { access, constants, stat } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { StreamingError } from '@org/kinesis-core'

/** One input: a file, a named pipe, standard input. */
export interface InputSource {
  /** As it is named in messages. */
  name: string
  /** Of a regular file, which can be read again: what is left of it is not lost, and how far it is read can be told. */
  sizeBytes: number | undefined
  open(): OpenInput
}

export interface OpenInput {
  stream: Readable
  /** Of the file as it is on disk. */
  bytesRead(): number
}

/** Looks at every input before anything is opened. `-` is standard input. */
export async function inputSources(files: readonly string[]): Promise<InputSource[]> {
  return Promise.all(files.map((file) => (file === '-' ? standardInput() : fileSource(file))))
}

function standardInput(): InputSource {
  const stats = fstatSync(0)
  if (stats.isDirectory()) throw unusable('Standard input', 'is a folder')
  return {
    name: 'standard input',
    sizeBytes: stats.isFile() ? stats.size : undefined,
    open: () => ({
      stream: process.stdin,
      // A redirected file is read as a file; a pipe does not know how much there is of it.
      bytesRead: () => (process.stdin as unknown as Partial<ReadStream>).bytesRead ?? 0,
    }),
  }
}

async function fileSource(file: string): Promise<InputSource> {
  const cannot = (error: NodeJS.ErrnoException) => {
    throw unusable(file, error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`)
  }
  const stats = await stat(file).catch(cannot)
  if (stats.isDirectory()) throw unusable(file, 'is a folder')
  await access(file, constants.R_OK).catch(cannot)
  return {
    name: file,
    sizeBytes: stats.isFile() ? stats.size : undefined,
    open: () => openFile(file),
  }
}

function openFile(file: string): OpenInput {
  const bytes = createReadStream(file)
  // The streams hand on what goes wrong to their reader, who is told once.
  const stream = file.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => {}) : bytes
  return { stream, bytesRead: () => bytes.bytesRead }
}

function unusable(file: string, reason: string): StreamingError {
  return new StreamingError(`${file} ${reason}. Name a file that can be read, or - for standard input.`, {
    code: 'BAD_FILE',
    retryable: false,
  })
}
