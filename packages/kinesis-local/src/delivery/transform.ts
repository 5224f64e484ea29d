import { randomUUID } from 'node:crypto'
import {
  backoffDelayMs,
  type Clock,
  type FirehoseEvent,
  type FirehoseEventRecord,
  type Random,
  sleep,
} from '@org/kinesis-core'
import type { LocalFunction } from '../function/local-function.js'
import type { DeliveryRecord } from './delivery-record.js'

/** What became of one record in the transform. */
export type TransformOutcome =
  | { kind: 'ok'; data: Uint8Array; partitionKeys: unknown }
  | { kind: 'dropped' }
  | { kind: 'failed'; errorCode: string; errorMessage: string }

export interface TransformResult {
  /** One for each record, in order. */
  outcomes: TransformOutcome[]
  attemptsMade: number
}

export interface TransformSource {
  deliveryStreamArn: string
  /** Undefined where records are put to the delivery stream itself. */
  sourceKinesisStreamArn?: string
  region: string
}

const RETRY_BACKOFF = { baseMs: 500, maxMs: 10_000 }

/** Runs batches through a transform function as in "Transform source data in Amazon Data Firehose". */
export class Transform {
  #function: LocalFunction
  #source: TransformSource
  #retries: number
  #clock: Clock
  #random: Random

  constructor(fn: LocalFunction, source: TransformSource, retries: number, clock: Clock, random: Random) {
    this.#function = fn
    this.#source = source
    this.#retries = retries
    this.#clock = clock
    this.#random = random
  }

  get functionArn(): string {
    return this.#function.arn
  }

  /** Invokes again what failed, as often as it may; a batch that still fails is failed record by record. Never rejects. */
  async run(records: readonly DeliveryRecord[], signal: AbortSignal): Promise<TransformResult> {
    const eventRecords = records.map(toEventRecord)
    for (let attempt = 1; ; attempt += 1) {
      // The records of a retry are the same, under an invocation id of its own.
      const event: FirehoseEvent = { invocationId: randomUUID(), ...this.#source, records: eventRecords }
      const result = await this.#function.invoke(event)
      if (result.ok) return { outcomes: readResponse(records, result.payload), attemptsMade: attempt }
      if (attempt > this.#retries || signal.aborted) {
        const failed = {
          kind: 'failed' as const,
          errorCode: 'Lambda.FunctionError',
          errorMessage: `The Lambda function was successfully invoked but it returned an error result: ${result.errorType}: ${result.errorMessage}`,
        }
        return { outcomes: records.map(() => failed), attemptsMade: attempt }
      }
      await sleep(this.#clock, backoffDelayMs(attempt, RETRY_BACKOFF, this.#random), signal)
    }
  }
}

function toEventRecord(record: DeliveryRecord): FirehoseEventRecord {
  const { data, source, arrivalMs } = record
  return {
    recordId: record.recordId,
    approximateArrivalTimestamp: arrivalMs,
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
    ...(source === undefined
      ? {}
      : {
          kinesisRecordMetadata: {
            shardId: source.shardId,
            partitionKey: source.partitionKey,
            approximateArrivalTimestamp: arrivalMs,
            sequenceNumber: source.sequenceNumber,
            subsequenceNumber: source.subsequenceNumber,
          },
        }),
  }
}

/** The JSON of a record without its text: times, the subsequence number and a comma need 40 characters at most. */
const emptyRecordBytes =
  40 +
  JSON.stringify(
    toEventRecord({
      recordId: '',
      source: { shardId: '', partitionKey: '', sequenceNumber: '', subsequenceNumber: 0 },
      arrivalMs: 0,
      data: new Uint8Array(),
      settle: () => {},
    }),
  ).length

/** What a record adds to the JSON of an event; never less than it does, for batches must stay under 6 MB. */
export function transformPayloadBytes(record: DeliveryRecord): number {
  const { recordId, source, data } = record
  const sourceBytes =
    source === undefined
      ? 0
      : source.shardId.length +
        source.sequenceNumber.length +
        Buffer.byteLength(JSON.stringify(source.partitionKey))
  return emptyRecordBytes + recordId.length + sourceBytes + Math.ceil(data.byteLength / 3) * 4
}

/** Reads a response: every record id must come back exactly once. */
function readResponse(records: readonly { recordId: string }[], response: unknown): TransformOutcome[] {
  const returned = (response as { records?: unknown } | null)?.records
  if (!Array.isArray(returned)) return records.map(() => invalid('The response has no list of records.'))
  const byId = new Map<unknown, unknown[]>()
  for (const entry of returned as unknown[]) {
    const id = (entry as { recordId?: unknown } | null)?.recordId
    byId.set(id, [...(byId.get(id) ?? []), entry])
  }
  return records.map(({ recordId }): TransformOutcome => {
    const entries = byId.get(recordId) ?? []
    if (entries.length === 0) {
      return failed(
        'Lambda.MissingRecordId',
        'One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids.',
      )
    }
    if (entries.length > 1) {
      return failed(
        'Lambda.DuplicatedRecordId',
        'Multiple records were returned with the same record ID. Ensure that the Lambda function returns unique record IDs for each record.',
      )
    }
    return readEntry(entries[0] as ReturnedEntry)
  })
}

interface ReturnedEntry {
  result?: unknown
  data?: unknown
  metadata?: { partitionKeys?: unknown } | null
}

function readEntry({ result, data, metadata }: ReturnedEntry): TransformOutcome {
  if (result === 'Dropped') return { kind: 'dropped' }
  if (result === 'ProcessingFailed') {
    return failed('Lambda.ProcessingFailedStatus', 'ProcessingFailed status set for record')
  }
  if (result !== 'Ok') return invalid('The result must be Ok, Dropped or ProcessingFailed.')
  if (typeof data !== 'string') return invalid('A record with the result Ok must have data.')
  if (data.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(data))
    return invalid('The data must be base64.')
  return { kind: 'ok', data: Buffer.from(data, 'base64'), partitionKeys: metadata?.partitionKeys }
}

function invalid(errorMessage: string): TransformOutcome {
  return failed('Lambda.InvalidReturnFormat', errorMessage)
}

function failed(errorCode: string, errorMessage: string): TransformOutcome {
  return { kind: 'failed', errorCode, errorMessage }
}
