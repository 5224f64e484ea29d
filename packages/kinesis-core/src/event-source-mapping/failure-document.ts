import type { DiscardEffect } from './mapping-effects.js'
import type { ShardRecord } from './shard-record.js'

/** What the failure destination gets of a discarded batch ("Retain discarded batch records for a Kinesis Data Streams event source"). */
export interface FailureDocument {
  requestContext: {
    requestId: string
    functionArn: string
    condition: string
    approximateInvokeCount: number
  }
  /** Absent where the batch grew too old before its first invocation. */
  responseContext?: { statusCode: number; executedVersion: string; functionError?: string }
  version: '1.0'
  timestamp: string
  KinesisBatchInfo: {
    shardId: string
    startSequenceNumber: string
    endSequenceNumber: string
    approximateArrivalOfFirstRecord: string
    approximateArrivalOfLastRecord: string
    batchSize: number
    streamArn: string
  }
  /** The whole event as a JSON string: S3 destinations only. Queues and topics get positions, not records. */
  payload?: string
}

export interface FailureDocumentContext {
  requestId: string
  functionArn: string
  streamArn: string
  shardId: string
  nowMs: number
  payload?: string
}

export function failureDocument<R extends ShardRecord>(
  discard: DiscardEffect<R>,
  context: FailureDocumentContext,
): FailureDocument {
  const { records } = discard.batch
  const first = records[0]!
  const last = records.at(-1)!
  return {
    requestContext: {
      requestId: context.requestId,
      functionArn: context.functionArn,
      condition: discard.condition,
      approximateInvokeCount: discard.invocations,
    },
    ...(discard.invocations === 0
      ? {}
      : {
          responseContext: {
            statusCode: 200,
            executedVersion: '$LATEST',
            ...(discard.functionError ? { functionError: 'Unhandled' } : {}),
          },
        }),
    version: '1.0',
    timestamp: instant(context.nowMs),
    KinesisBatchInfo: {
      shardId: context.shardId,
      startSequenceNumber: first.sequenceNumber,
      endSequenceNumber: last.sequenceNumber,
      approximateArrivalOfFirstRecord: instant(first.arrivalMs),
      approximateArrivalOfLastRecord: instant(last.arrivalMs),
      batchSize: records.length,
      streamArn: context.streamArn,
    },
    ...(context.payload === undefined ? {} : { payload: context.payload }),
  }
}

/** `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random>`, the documented name of an object in S3. */
export function failureObjectKey(mappingId: string, shardId: string, nowMs: number, random: string): string {
  const time = instant(nowMs)
  const day = time.slice(0, 10)
  const second = time.slice(0, 19).replaceAll(':', '.')
  return `aws/lambda/${mappingId}/${shardId}/${day.replaceAll('-', '/')}/${second}-${random}`
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}
