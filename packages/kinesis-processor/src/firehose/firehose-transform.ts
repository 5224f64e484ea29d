import {
  type Clock,
  type FirehoseEvent,
  type FirehoseEventRecord,
  type FirehoseResponse,
  type FirehoseResponseRecord,
  firehoseQuotas,
  type LambdaContext,
  systemClock,
} from '@org/kinesis-core'
import { UnexpectedEventError } from '../errors.js'
import { refuseUnknown, requireFunction } from '../handler-options.js'
import type { Decoder } from '../json-decoder.js'

/** What the transform knows of a record beside its bytes. */
export interface DeliveryPosition {
  recordId: string
  /** In milliseconds since the epoch. */
  arrivalMs: number
  /** Set where the source is a Kinesis stream. */
  shardId?: string
  sequenceNumber?: string
  subSequenceNumber?: number
  partitionKey?: string
}

export interface TransformOutput {
  /** Written as one line of JSON. */
  value: unknown
  /** For dynamic partitioning: `!{partitionKeyFromLambda:NAME}` in the prefix. */
  partitionKeys?: Record<string, string>
}

export interface FirehoseTransformOptions<T> {
  /** Bytes to a value. A record that it throws on is ProcessingFailed, which Firehose keeps under the error prefix. */
  decode: Decoder<T>
  /** What to deliver, or undefined to drop the record. A record that it throws on is ProcessingFailed. */
  map: (
    value: T,
    position: DeliveryPosition,
    nowMs: number,
  ) => TransformOutput | undefined | Promise<TransformOutput | undefined>
  /** @default the system's clock */
  clock?: Clock
}

export type FirehoseTransform = (event: FirehoseEvent, context: LambdaContext) => Promise<FirehoseResponse>

const KNOWN: ReadonlySet<string> = new Set<keyof FirehoseTransformOptions<unknown>>([
  'decode',
  'map',
  'clock',
])

/** Beside the data of a record: id, result, quotes and commas, with room to spare. */
const ENVELOPE_BYTES = 200
/** Around the records. */
const RESPONSE_BYTES = 1_000

/** A Firehose data transformation: every record is answered, as Ok, Dropped or ProcessingFailed, and output is one JSON document a line. */
export function firehoseTransform<T>(options: FirehoseTransformOptions<T>): FirehoseTransform {
  refuseUnknown(options, KNOWN)
  const { decode, map, clock = systemClock } = options
  requireFunction('decode', decode, 'Pass json(schema), or a function from bytes to a value.')
  requireFunction('map', map, 'Pass a function from a value to { value }.')
  return async (event) => {
    if (!Array.isArray(event?.records)) {
      throw new UnexpectedEventError(
        'The event has no records: use this function as the transform of a delivery stream.',
      )
    }
    const nowMs = clock.now()
    const records: FirehoseResponseRecord[] = []
    let responseBytes = RESPONSE_BYTES
    for (const record of event.records) {
      const answer = await transform(record, decode, map, nowMs)
      responseBytes += bytesOf(answer)
      // A response above the limit fails as a whole, which would fail its good records too. The record itself is not lost: Firehose keeps it
      // under the error prefix.
      const isTooMuch = responseBytes > firehoseQuotas.maxTransformPayloadBytes && answer.data !== undefined
      if (isTooMuch) responseBytes -= bytesOf(answer) - ENVELOPE_BYTES
      records.push(isTooMuch ? { recordId: record.recordId, result: 'ProcessingFailed' } : answer)
    }
    return { records }
  }
}

async function transform<T>(
  record: FirehoseEventRecord,
  decode: Decoder<T>,
  map: FirehoseTransformOptions<T>['map'],
  nowMs: number,
): Promise<FirehoseResponseRecord> {
  const { recordId } = record
  try {
    const value = await decode(Buffer.from(record.data, 'base64'))
    const output = await map(value, positionOf(record), nowMs)
    if (output === undefined) return { recordId, result: 'Dropped' }
    const line = JSON.stringify(output.value)
    if (line === undefined) return { recordId, result: 'ProcessingFailed' }
    return {
      recordId,
      result: 'Ok',
      data: Buffer.from(`${line}\n`).toString('base64'),
      ...(output.partitionKeys === undefined ? {} : { metadata: { partitionKeys: output.partitionKeys } }),
    }
  } catch {
    return { recordId, result: 'ProcessingFailed' }
  }
}

function positionOf({
  recordId,
  approximateArrivalTimestamp,
  kinesisRecordMetadata,
}: FirehoseEventRecord): DeliveryPosition {
  if (kinesisRecordMetadata === undefined) return { recordId, arrivalMs: approximateArrivalTimestamp }
  const { shardId, sequenceNumber, subsequenceNumber, partitionKey } = kinesisRecordMetadata
  return {
    recordId,
    arrivalMs: approximateArrivalTimestamp,
    shardId,
    sequenceNumber,
    subSequenceNumber: subsequenceNumber,
    partitionKey,
  }
}

function bytesOf({ data, metadata }: FirehoseResponseRecord): number {
  return (
    ENVELOPE_BYTES +
    (data?.length ?? 0) +
    (metadata === undefined ? 0 : Buffer.byteLength(JSON.stringify(metadata)))
  )
}
