import type { SQSClient } from '@aws-sdk/client-sqs'
import { type Clock, refuseUnknownOptions, sqsQuotas, systemClock } from '@org/kinesis-core'
import { jsonOf, messageBytes, type PlannedMessage } from '../messages/planned-message.js'
import { type MessageTarget, sendMessages } from '../messages/send-messages.js'
import { requireFunction, requireText, whole } from '../option-checks.js'
import type { RejectedRecord, RejectedSink } from '../rejected-record.js'
import type { SinkResult } from '../sink.js'
import { sqsTarget } from './sqs-request.js'

export interface SqsRejectedSinkOptions {
  client: SQSClient
  /** Of a standard queue. */
  queueUrl: string
  /** Requests at once. @default 4 */
  maxConcurrency?: number
  /** A request without an answer for so long has failed, in milliseconds. @default 10_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
}

const KNOWN = [
  'client',
  'queueUrl',
  'maxConcurrency',
  'requestTimeoutMs',
  'clock',
] as const satisfies (keyof SqsRejectedSinkOptions)[]

/**
 * Sends rejected records to a queue, one message each, its body the `RejectedRecord` as JSON. A record whose envelope passes the queue's
 * limit of 1 MiB (its payload then has more than about 780 kB) fails, and so stays unresolved: it ends in the mapping's failure destination.
 */
export function sqsRejectedSink(options: SqsRejectedSinkOptions): RejectedSink {
  refuseUnknownOptions(options, KNOWN)
  const { client, queueUrl, clock = systemClock } = options
  requireFunction('client', client?.send, 'Pass an SQSClient.')
  requireText('queueUrl', queueUrl, 'Give the URL of the queue.')
  requireFunction('clock', clock?.schedule, 'Pass an object with now() and schedule(), or leave it out.')
  const target: MessageTarget = {
    ...sqsTarget({ client, queueUrl }),
    clock,
    maxMessageBytes: sqsQuotas.maxMessageBytes,
    maxConcurrency: whole('maxConcurrency', options.maxConcurrency ?? 4, 1),
    requestTimeoutMs: whole('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 1),
  }
  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      await sendMessages(planMessages(records, results), target, context, results)
      return results
    },
  }
}

function planMessages(records: readonly RejectedRecord[], results: SinkResult[]): PlannedMessage[] {
  const planned: PlannedMessage[] = []
  for (const [index, record] of records.entries()) {
    try {
      const body = jsonOf(record)
      const bytes = messageBytes(body, {}, sqsQuotas.maxMessageBytes)
      // Rejected records have no order: each is a lane of its own, so that none waits for another.
      planned.push({ index, partitionKey: String(index), bytes, body })
    } catch (error) {
      results[index] = { stored: false, error }
    }
  }
  return planned
}
