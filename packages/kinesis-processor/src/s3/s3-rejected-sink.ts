import { gzipSync } from 'node:zlib'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { type Clock, InvalidOptionError, refuseUnknownOptions, systemClock } from '@org/kinesis-core'
import { requireClock, requireFunction, requireText, whole } from '../option-checks.js'
import type { RejectedSink } from '../rejected-record.js'
import { withTimeout } from '../requests/request-timeout.js'
import { outOfTime, type SinkContext, type SinkResult } from '../sink.js'
import { type RejectedObject, rejectedObjects } from './rejected-object.js'
import { MAX_OBJECT_BYTES } from './s3-limits.js'

export interface S3RejectedSinkOptions {
  client: S3Client
  bucket: string
  /** Every key begins with it, as it stands: end it with a slash. May be empty. @default 'rejected/' */
  prefix?: string
  /** Whether objects are compressed; they are called `.ndjson.gz` then. @default false */
  gzip?: boolean
  /**
   * Of one object, in bytes before compression, up to 64 MiB, which is as much as is read again. What does not fit begins another object; one
   * record that is larger has an object of its own. @default 16_777_216
   */
  maxObjectBytes?: number
  /** A request without an answer for so long has failed, in milliseconds. @default 10_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
}

const KNOWN = [
  'client',
  'bucket',
  'prefix',
  'gzip',
  'maxObjectBytes',
  'requestTimeoutMs',
  'clock',
] as const satisfies (keyof S3RejectedSinkOptions)[]

/** Leaves 1,024 bytes, which is what a key may have, enough for stream, date, shard and name. */
const MAX_PREFIX_BYTES = 512

/**
 * Keeps rejected records in a bucket: what one write rejects of a shard is one object of newline-delimited JSON. Encryption is the bucket's.
 * An object that could not be put leaves its records unresolved, and the rest of the write is not tried.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function s3RejectedSink(options: S3RejectedSinkOptions): RejectedSink {
  refuseUnknownOptions(options, KNOWN)
  const { client, bucket, prefix = 'rejected/', gzip = false, clock = systemClock } = options
  requireFunction('client', client?.send, 'Pass an S3Client.')
  requireText('bucket', bucket, 'Give the name of the bucket.')
  requirePrefix(prefix)
  if (typeof gzip !== 'boolean') throw new InvalidOptionError('gzip', gzip, 'Give true or false.')
  requireClock(clock)
  const maxObjectBytes = whole('maxObjectBytes', options.maxObjectBytes ?? 16_777_216, 1, MAX_OBJECT_BYTES)
  const requestTimeoutMs = whole('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 1)
  const layout = { prefix, extension: gzip ? '.ndjson.gz' : '.ndjson', maxObjectBytes }

  const put = async ({ key, text }: RejectedObject, { remainingMs }: SinkContext): Promise<SinkResult> => {
    const timeoutMs = Math.min(requestTimeoutMs, remainingMs())
    if (timeoutMs <= 0) return outOfTime()
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      // No Content-Encoding: a client that unpacked on its own would give other bytes than the name says.
      Body: gzip ? gzipSync(text) : Buffer.from(text),
      ContentType: gzip ? 'application/gzip' : 'application/x-ndjson',
    })
    try {
      await withTimeout({ clock, timeoutMs, what: 'S3' }, (abortSignal) =>
        client.send(command, { abortSignal }),
      )
      return { stored: true }
    } catch (error) {
      return { stored: false, error }
    }
  }

  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      let skipped: SinkResult | undefined
      for (const object of rejectedObjects(records, layout)) {
        const result = skipped ?? (await put(object, context))
        for (const index of object.indexes) results[index] = result
        if (!result.stored) skipped ??= notTried(result.error)
      }
      return results
    },
  }
}

export function requirePrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix === 'string' && Buffer.byteLength(prefix) <= MAX_PREFIX_BYTES) return
  throw new InvalidOptionError(
    'prefix',
    prefix,
    `Give text of at most ${MAX_PREFIX_BYTES} bytes, such as 'rejected/'.`,
  )
}

/** Whatever failed will most likely fail again, and each try costs the invocation time. */
function notTried(cause: unknown): SinkResult {
  const message = 'S3 failed for others of the batch; this one was not tried.'
  return { stored: false, error: new Error(message, { cause }) }
}
