import type {
  FirehoseEvent,
  FirehoseEventRecord,
  FirehoseResponse,
  FirehoseResponseRecord,
} from '@org/kinesis-core'
import { UnexpectedEventError } from '../errors.js'
import { ResponseBudget } from './response-budget.js'
import {
  type DeliveryPosition,
  type FirehoseTransformOptions,
  type ResolvedFirehoseTransformOptions,
  resolveFirehoseTransformOptions,
} from './transform-options.js'

export type FirehoseTransform = (event: FirehoseEvent) => Promise<FirehoseResponse>

/**
 * A Firehose data transformation: every record is answered, as Ok, Dropped or ProcessingFailed, and output is one JSON document a line.
 *
 * @throws InvalidOptionError at once for options that cannot work; the handler rejects with UnexpectedEventError for the event of another service
 */
export function firehoseTransform<T>(options: FirehoseTransformOptions<T>): FirehoseTransform {
  const resolved = resolveFirehoseTransformOptions(options)
  return async (event) => {
    requireFirehoseEvent(event)
    const nowMs = resolved.clock.now()
    const records: FirehoseResponseRecord[] = []
    const budget = new ResponseBudget(event.records)
    for (const record of event.records) {
      const answer = await transform(record, resolved, nowMs)
      if (budget.take(answer)) records.push(answer)
      else
        records.push(
          fail(record, new Error('The response would pass the 6 MB that Firehose takes.'), resolved),
        )
    }
    return { records }
  }
}

async function transform<T>(
  record: FirehoseEventRecord,
  options: ResolvedFirehoseTransformOptions<T>,
  nowMs: number,
): Promise<FirehoseResponseRecord> {
  const { recordId } = record
  try {
    const value = await options.decode(Buffer.from(record.data, 'base64'))
    const output = value === undefined ? undefined : await options.map(value, positionOf(record), nowMs)
    if (output === undefined) return { recordId, result: 'Dropped' }
    const line: string | undefined = JSON.stringify(output.value)
    if (line === undefined) throw new TypeError('The value has no JSON.')
    return {
      recordId,
      result: 'Ok',
      data: Buffer.from(`${line}\n`).toString('base64'),
      ...(output.partitionKeys === undefined ? {} : { metadata: { partitionKeys: output.partitionKeys } }),
    }
  } catch (error) {
    return fail(record, error, options)
  }
}

/** Without data: Firehose keeps the record as it came, under the error prefix. */
function fail<T>(
  record: FirehoseEventRecord,
  error: unknown,
  { onFailed }: ResolvedFirehoseTransformOptions<T>,
): FirehoseResponseRecord {
  try {
    onFailed(error, positionOf(record))
  } catch {
    // Whoever listens must not fail the records of others.
  }
  return { recordId: record.recordId, result: 'ProcessingFailed' }
}

function positionOf(record: FirehoseEventRecord): DeliveryPosition {
  const { recordId, approximateArrivalTimestamp: arrivalMs, kinesisRecordMetadata } = record
  if (kinesisRecordMetadata === undefined) return { recordId, arrivalMs }
  const { shardId, sequenceNumber, subsequenceNumber, partitionKey } = kinesisRecordMetadata
  return { recordId, arrivalMs, shardId, sequenceNumber, subSequenceNumber: subsequenceNumber, partitionKey }
}

function requireFirehoseEvent(event: unknown): asserts event is FirehoseEvent {
  const records =
    typeof event === 'object' && event !== null && 'records' in event ? event.records : undefined
  const isUsable = (record: Partial<FirehoseEventRecord> | null) =>
    typeof record?.recordId === 'string' && typeof record.data === 'string'
  if (Array.isArray(records) && records.every(isUsable)) return
  throw new UnexpectedEventError(
    'The event has no records with recordId and data: use this function as the transform of a delivery stream.',
  )
}
