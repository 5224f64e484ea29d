import type { DeliveryRecord } from './delivery-record.js'

/** What `!{firehose:error-output-type}` says of records that could not be delivered. */
export type ErrorOutputType =
  | 'processing-failed'
  | 'format-conversion-failed'
  /** Of records beyond the partitions that may be open at once ("Buffer data for dynamic partitioning"). */
  | 'activePartitionExceeded'

export interface DeliveryFailure {
  outputType: ErrorOutputType
  errorCode: string
  errorMessage: string
  attemptsMade: number
}

/**
 * One line of an error object, as "Handle failure in data transformation" and "Handling errors for data format conversion" show it. The
 * second has `ErrorCode` and `ErrorMessage` in its latest edition; what the service writes are the names of the editions before.
 */
export function failureLine(
  record: DeliveryRecord,
  data: Uint8Array,
  failure: DeliveryFailure,
  atMs: number,
  lambdaArn: string | undefined,
): Buffer {
  const { outputType, errorCode, errorMessage, attemptsMade } = failure
  const made = { attemptsMade, arrivalTimestamp: record.arrivalMs }
  const ended = { attemptEndingTimestamp: atMs, rawData: Buffer.from(data).toString('base64') }
  const document =
    outputType === 'format-conversion-failed'
      ? {
          ...made,
          lastErrorCode: errorCode,
          lastErrorMessage: errorMessage,
          ...ended,
          sequenceNumber: record.source?.sequenceNumber ?? null,
          subSequenceNumber: record.source?.subsequenceNumber ?? null,
          // There is no catalog: the columns are an option.
          dataCatalogTable: null,
        }
      : { ...made, errorCode, errorMessage, ...ended, ...(lambdaArn === undefined ? {} : { lambdaArn }) }
  return Buffer.from(`${JSON.stringify(document)}\n`)
}
