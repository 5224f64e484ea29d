import { isUtf8 } from 'node:buffer'
import { type Random, StreamingError } from '@org/kinesis-core'
import { RecordTooLargeError } from '../producer-errors.js'
import type { ProducerRecord, RecordChecker } from '../record-input.js'
import type { FieldText } from './field-text.js'
import type { Line } from './line-splitter.js'
import { excerptOf } from './printable.js'
import { count } from './summary.js'

/** What a line, or a row of several, came to: a record, or why there is none. */
export type InputItem =
  | { lineNumber: number; record: ProducerRecord & { data: Uint8Array } }
  | { lineNumber: number; reason: string; excerpt: string }

/** The record, where the producer would take it: what it would refuse is bad input, and named with its line. */
export function recordOf(
  line: Line,
  data: Buffer,
  partitionKey: FieldText | undefined,
  explicitHashKey: FieldText | undefined,
  { checker, random }: { checker: RecordChecker; random: Random },
): InputItem {
  const key = partitionKey ?? { text: randomKey(random) }
  if ('reason' in key) return refused(line, key.reason)
  if (explicitHashKey !== undefined && 'reason' in explicitHashKey)
    return refused(line, explicitHashKey.reason)
  const record = {
    partitionKey: key.text,
    data,
    ...(explicitHashKey === undefined ? {} : { explicitHashKey: explicitHashKey.text }),
  }
  // A random key needs no check but the producer's, whose MD5 of it would be taken twice.
  const isRandom = partitionKey === undefined && explicitHashKey === undefined
  if (isRandom && data.length + key.text.length <= checker.maxRecordBytes)
    return { lineNumber: line.number, record }
  try {
    checker.check(record)
  } catch (error) {
    if (error instanceof RecordTooLargeError) {
      const what = `it makes a record of ${count(error.sizeBytes)} bytes with its key`
      return refused(line, tooLargeText(what, checker.maxRecordBytes))
    }
    if (!StreamingError.isInstance(error)) throw error
    return refused(line, error.message)
  }
  return { lineNumber: line.number, record }
}

export function refused(line: Line, reason: string): InputItem {
  return { lineNumber: line.number, reason, excerpt: excerptOf(line.bytes) }
}

/** Why a line cannot be taken for text. */
export function unreadableReason(line: Line, limits: { maxRecordBytes: number }): string | undefined {
  const tooLarge = tooLargeReason(line, limits)
  if (tooLarge !== undefined) return tooLarge
  return isUtf8(line.bytes) ? undefined : 'it is not UTF-8. Convert the input, with iconv say.'
}

export function tooLargeReason({ sizeBytes }: Line, { maxRecordBytes }: { maxRecordBytes: number }) {
  return sizeBytes > maxRecordBytes
    ? tooLargeText(`it has ${count(sizeBytes)} bytes`, maxRecordBytes)
    : undefined
}

function tooLargeText(what: string, maxRecordBytes: number): string {
  return `${what}, and a record with its key holds ${count(maxRecordBytes)} (--max-record-bytes).`
}

/** Spreads records over all shards; short, because it is sent and paid for. */
function randomKey(random: Random): string {
  return Math.floor(random() * Number.MAX_SAFE_INTEGER).toString(36)
}
