import { createHash } from 'node:crypto'
import type { RecordPosition } from '../stream-record.js'

/** Group and deduplication IDs are letters, digits and punctuation (API reference, SendMessage and Publish). */
const FIFO_ID = /^[!-~]{1,128}$/

/** The record's partition key, or a digest of one that no group can be named by. */
export function groupId({ partitionKey }: RecordPosition): string {
  return fifoId(partitionKey)
}

/** The same each time that a record comes: by its producer, which also tells what the producer sent twice, else by its place in the stream. */
export function deduplicationId({
  streamName,
  shardId,
  sequenceNumber,
  subSequenceNumber,
  producer,
}: RecordPosition): string {
  if (producer !== undefined) return fifoId(`${producer.producerId}:${producer.sequence}`)
  return fifoId(`${streamName}/${shardId}/${sequenceNumber}/${subSequenceNumber}`)
}

function fifoId(text: string): string {
  return FIFO_ID.test(text) ? text : `sha256-${createHash('sha256').update(text).digest('hex')}`
}
