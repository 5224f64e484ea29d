import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { type Clock, refuseUnknownOptions, sqsQuotas, systemClock } from '@org/kinesis-core'
import { requireFunction, requireText, whole } from '../option-checks.js'
import type { RejectedRecord, RejectedSink } from '../rejected-record.js'
import { withTimeout } from '../request-timeout.js'
import { outOfTime, type SinkContext, type SinkResult } from '../sink.js'

export interface SqsRejectedSinkOptions {
  client: SQSClient
  queueUrl: string
  /** Requests at once. @default 4 */
  maxConcurrency?: number
  /** A request without an answer for so long has failed, in milliseconds. @default 10_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
}

interface Entry {
  index: number
  body: string
  bytes: number
}

const KNOWN = [
  'client',
  'queueUrl',
  'maxConcurrency',
  'requestTimeoutMs',
  'clock',
] as const satisfies (keyof SqsRejectedSinkOptions)[]

/** After so many requests in a row that failed as a whole, the rest of a write is not tried. */
const MAX_FAILED_REQUESTS = 3

/**
 * Sends rejected records to a queue, one message each, its body the `RejectedRecord` as JSON. A record whose envelope passes the queue's
 * limit of 1 MiB (its payload then has more than about 780 kB) fails, and so stays unresolved: it ends in the mapping's failure destination.
 */
export function sqsRejectedSink(options: SqsRejectedSinkOptions): RejectedSink {
  refuseUnknownOptions(options, KNOWN)
  const { client, queueUrl, clock = systemClock } = options
  requireFunction('client', client?.send, 'Pass an SQSClient.')
  requireText('queueUrl', queueUrl, 'Give the URL of the queue.')
  requireFunction('clock', clock.schedule, 'Pass an object with now() and schedule(), or leave it out.')
  const maxConcurrency = whole('maxConcurrency', options.maxConcurrency ?? 4, 1)
  const requestTimeoutMs = whole('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 1)

  const send = async (batch: readonly Entry[], results: SinkResult[], { remainingMs }: SinkContext) => {
    const timeoutMs = Math.min(requestTimeoutMs, remainingMs())
    if (timeoutMs <= 0) {
      fail(batch, results, outOfTime())
      return true
    }
    try {
      const { Successful = [], Failed = [] } = await withTimeout(
        { clock, timeoutMs, what: 'SQS' },
        (abortSignal) =>
          client.send(
            new SendMessageBatchCommand({
              QueueUrl: queueUrl,
              Entries: batch.map(({ index, body }) => ({ Id: String(index), MessageBody: body })),
            }),
            { abortSignal },
          ),
      )
      for (const { Id } of Successful) results[Number(Id)] = { stored: true }
      for (const { Id, Code, Message = 'the queue refused the message' } of Failed) {
        results[Number(Id)] = { stored: false, error: new Error(`${Code}: ${Message}`) }
      }
      return true
    } catch (error) {
      fail(batch, results, { stored: false, error })
      return false
    }
  }

  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      // One iterator for all workers: each takes the next batch that nobody has.
      const rest = batches(records, results).values()
      let failedRequests = 0
      const worker = async () => {
        for (const batch of rest) {
          if (failedRequests >= MAX_FAILED_REQUESTS) {
            fail(batch, results, {
              stored: false,
              error: new Error('The queue failed for others of the batch.'),
            })
          } else failedRequests = (await send(batch, results, context)) ? 0 : failedRequests + 1
        }
      }
      await Promise.all(Array.from({ length: maxConcurrency }, worker))
      return results
    },
  }
}

/** As many messages and bytes as one request takes; what is too large for any gets its result at once. */
function batches(records: readonly RejectedRecord[], results: SinkResult[]): Entry[][] {
  const found: Entry[][] = []
  let bytesInBatch = 0
  for (const [index, record] of records.entries()) {
    const body = messageBody(record)
    const bytes = Buffer.byteLength(body)
    if (bytes > sqsQuotas.maxMessageBytes) {
      const message = `The rejected record has ${bytes} bytes; a message has at most ${sqsQuotas.maxMessageBytes}.`
      results[index] = { stored: false, error: new Error(message) }
      continue
    }
    const last = found.at(-1)
    const fits =
      last !== undefined &&
      last.length < sqsQuotas.maxBatchEntries &&
      bytesInBatch + bytes <= sqsQuotas.maxMessageBytes
    if (fits) last.push({ index, body, bytes })
    else found.push([{ index, body, bytes }])
    bytesInBatch = fits ? bytesInBatch + bytes : bytes
  }
  return found
}

/** Two characters are JSON and no XML, and the queue refuses them: a partition key or an error message may hold them. */
function messageBody(record: RejectedRecord): string {
  return JSON.stringify(record).replace(
    /[\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  )
}

function fail(batch: readonly Entry[], results: SinkResult[], result: SinkResult): void {
  for (const { index } of batch) results[index] = result
}
