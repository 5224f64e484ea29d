import { createHash } from 'node:crypto'
import { envelopeText, type RejectedRecord, recordIdentity } from '../rejected-record.js'

/** Several rejected records of one shard that go into one object. */
export interface RejectedObject {
  key: string
  /** NDJSON. */
  text: string
  /** Where its records stand in the list that was given. */
  indexes: readonly number[]
}

export interface ObjectLayout {
  prefix: string
  extension: string
  /** Before compression; one record that is larger has an object of its own. */
  maxObjectBytes: number
}

interface Chunk {
  records: RejectedRecord[]
  indexes: number[]
  lines: string[]
  bytes: number
}

/** Cuts records into objects, each with records of one shard in their order. The same records give the same objects, with the same keys. */
export function rejectedObjects(records: readonly RejectedRecord[], layout: ObjectLayout): RejectedObject[] {
  const open = new Map<string, Chunk>()
  const chunks: Chunk[] = []
  for (const [index, record] of records.entries()) {
    const line = `${envelopeText(record)}\n`
    const bytes = Buffer.byteLength(line)
    const shard = JSON.stringify([record.streamArn, record.shardId])
    let chunk = open.get(shard)
    if (chunk === undefined || chunk.bytes + bytes > layout.maxObjectBytes) {
      chunk = { records: [], indexes: [], lines: [], bytes: 0 }
      open.set(shard, chunk)
      chunks.push(chunk)
    }
    chunk.records.push(record)
    chunk.indexes.push(index)
    chunk.lines.push(line)
    chunk.bytes += bytes
  }
  return chunks.map(({ records: own, indexes, lines }) => ({
    key: objectKey(own, layout),
    text: lines.join(''),
    indexes,
  }))
}

/**
 * `<prefix><stream>/<year>/<month>/<day>/<shard>/<first sequence number>-<sub-sequence number>-<digest>.ndjson`, by the arrival of the first
 * record, so that a retry after midnight finds the same place.
 *
 * The digest is of the records that the object holds, not of what is said about them. With the first sequence number alone, a retry that rejects fewer records, or a late
 * request of an attempt that was given up, would overwrite an object that holds more, and lose records that were resolved. So the same set
 * overwrites itself, and another one makes another object: a record may be in both.
 */
function objectKey(records: readonly RejectedRecord[], { prefix, extension }: ObjectLayout): string {
  const { streamName, shardId, arrivalTime, sequenceNumber, subSequenceNumber } = records[0]!
  const date = /^\d{4}-\d{2}-\d{2}T/.test(arrivalTime)
    ? arrivalTime.slice(0, 10).replaceAll('-', '/')
    : 'undated'
  const digest = createHash('sha256')
    .update(JSON.stringify(records.map(recordIdentity)))
    .digest('hex')
    .slice(0, 16)
  const name = `${segment(sequenceNumber)}-${subSequenceNumber}-${digest}${extension}`
  return `${prefix}${segment(streamName)}/${date}/${segment(shardId)}/${name}`
}

/** What an event says goes into a key of at most 1,024 bytes, and must not lay out folders of its own. */
function segment(text: string): string {
  return text.slice(0, 128).replace(/[^\w.-]/g, '_')
}
