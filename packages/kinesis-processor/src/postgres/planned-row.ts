import type { PlannedWrite } from '../requests/planned-write.js'
import type { SinkRecord } from '../sink.js'
import type { RecordPosition } from '../stream-record.js'
import type { ResolvedPostgresSinkOptions } from './postgres-options.js'

export interface PlannedRow extends PlannedWrite {
  values: unknown[]
  /** Rows for which this is equal have the same key for sure. */
  rowKey: string
}

export function planRow<T>(
  { value, position }: SinkRecord<T>,
  index: number,
  { columns, key, positionColumn }: ResolvedPostgresSinkOptions<T>,
): PlannedRow {
  const values = Object.values(columns).map((held) => held(value, position) ?? null)
  const names = Object.keys(columns)
  const keyTexts = key.map((name) => keyText(values[names.indexOf(name)]))
  if (positionColumn !== undefined) values.push(streamPosition(position))
  return {
    index,
    partitionKey: position.partitionKey,
    values,
    rowKey: keyTexts.includes(undefined) ? `row ${index}` : JSON.stringify(keyTexts),
  }
}

/** A decimal number, greater the later a record stands in its shard: the place in an aggregate is behind the point. */
function streamPosition({ sequenceNumber, subSequenceNumber }: RecordPosition): string {
  return `${sequenceNumber}.${String(subSequenceNumber).padStart(9, '0')}`
}

/** Undefined where it cannot be told here what the database takes for the same: it says so itself. A null is never the same as another. */
function keyText(value: unknown): string | undefined {
  if (value instanceof Date) return `date ${value.getTime()}`
  if (typeof value === 'object' || typeof value === 'symbol' || typeof value === 'function') return undefined
  return `${typeof value} ${value}`
}
