import type { S3Client } from '@aws-sdk/client-s3'
import { type Clock, refuseUnknownOptions, systemClock } from '@org/kinesis-core'
import { requireClock, requireFunction, requireText, whole } from '../option-checks.js'
import { envelopeLines } from '../rejected/envelope-lines.js'
import { InvalidRejectedRecordError } from '../rejected/parse-rejected-record.js'
import type { RejectedEntry, RejectedRemoval, RejectedSource } from '../rejected/rejected-source.js'
import { recordIdentity } from '../rejected-record.js'
import { linesWithout, packLike, unpack } from './object-lines.js'
import { RejectedBucket } from './rejected-bucket.js'
import { requirePrefix } from './s3-rejected-sink.js'

export interface S3RejectedSourceOptions {
  client: S3Client
  bucket: string
  /**
   * Objects whose keys begin with it, in the order of their keys. It may go as deep as a stream, a day, a shard. @default 'rejected/'
   */
  prefix?: string
  /** A request without an answer for so long has failed, in milliseconds. @default 30_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
}

export interface S3RejectedEntry extends RejectedEntry {
  readonly key: string
  /** From 1; 0 where the object as a whole cannot be read. */
  readonly line: number
}

const KNOWN = [
  'client',
  'bucket',
  'prefix',
  'requestTimeoutMs',
  'clock',
] as const satisfies (keyof S3RejectedSourceOptions)[]

/**
 * Rejected records in a bucket, as `s3RejectedSink` writes them, or any other objects of an envelope a line. One object is in memory at once,
 * of at most 64 MiB before and after decompression. An object is deleted when all of its records were taken away; before that it is
 * written anew with those that are left. Neither is done to an object that someone else wrote meanwhile, where the bucket heeds If-Match.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function s3RejectedSource(options: S3RejectedSourceOptions): RejectedSource<S3RejectedEntry> {
  refuseUnknownOptions(options, KNOWN)
  const { client, bucket: name, prefix = 'rejected/', clock = systemClock } = options
  requireFunction('client', client?.send, 'Pass an S3Client.')
  requireText('bucket', name, 'Give the name of the bucket.')
  requirePrefix(prefix)
  requireClock(clock)
  const timeoutMs = whole('requestTimeoutMs', options.requestTimeoutMs ?? 30_000, 1)
  const bucket = new RejectedBucket(client, name, { clock, timeoutMs })
  return {
    async *entries({ signal } = {}) {
      if (signal?.aborted) return
      for await (const key of bucket.keys(prefix)) {
        for await (const entry of entriesOf(bucket, key)) {
          if (signal?.aborted) return
          yield entry
        }
      }
    },
    async remove(entries) {
      const removals = new Map<string, RejectedRemoval>()
      for (const [key, own] of Map.groupBy(entries, (entry) => entry.key)) {
        const removed = own.flatMap(({ record }) => (record === undefined ? [] : recordIdentity(record)))
        removals.set(key, await removeFrom(bucket, key, new Set(removed)))
      }
      return entries.map(({ key, record, error }) =>
        record === undefined ? { removed: false, error } : removals.get(key)!,
      )
    },
    async release() {},
  }
}

async function* entriesOf(bucket: RejectedBucket, key: string): AsyncGenerator<S3RejectedEntry> {
  const place = `s3://${bucket.name}/${key}`
  let lines: Buffer
  try {
    const object = await bucket.get(key)
    // Deleted since it was listed: someone else put its records back.
    if (object === undefined) return
    lines = await unpack(object.bytes)
  } catch (error) {
    if (!(error instanceof InvalidRejectedRecordError)) throw error
    yield { place, key, line: 0, record: undefined, error }
    return
  }
  for await (const { number, record, error } of envelopeLines([lines])) {
    yield { place: `${place}:${number}`, key, line: number, record, error }
  }
}

/** By what a record is, and in the object as it is now: a window may end in the middle of an object, which is then written twice. */
async function removeFrom(
  bucket: RejectedBucket,
  key: string,
  removed: ReadonlySet<string>,
): Promise<RejectedRemoval> {
  try {
    const object = await bucket.get(key)
    if (object === undefined) return { removed: true }
    const left = await linesWithout(await unpack(object.bytes), removed)
    if (left.length === 0) await bucket.delete(key, object)
    else await bucket.replace(key, object, packLike(object.bytes, left))
    return { removed: true }
  } catch (error) {
    return { removed: false, error }
  }
}
