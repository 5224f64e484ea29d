import type { SQSClient } from '@aws-sdk/client-sqs'
import {
  type Clock,
  InvalidOptionError,
  refuseUnknownOptions,
  sqsQuotas,
  systemClock,
} from '@org/kinesis-core'
import type { PlannedMessage } from '../messages/planned-message.js'
import { type MessageTarget, sendMessages } from '../messages/send-messages.js'
import { requireClock, requireFunction, requireText, whole } from '../option-checks.js'
import { envelopeText, type RejectedRecord, type RejectedSink } from '../rejected-record.js'
import type { SinkContext, SinkResult } from '../sink.js'
import { sqsTarget } from './sqs-request.js'

export interface SqsRejectedSinkOptions {
  client: SQSClient
  /** Of a standard queue. */
  queueUrl: string
  /** Where a record goes whose envelope is too large for a message: `s3RejectedSink`, for one. @default none: it stays unresolved */
  overflow?: RejectedSink
  /** Requests at once. @default 4 */
  maxConcurrency?: number
  /** A request without an answer for so long has failed, in milliseconds. @default 10_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
}

interface TooLarge {
  index: number
  record: RejectedRecord
  bytes: number
}

const KNOWN = [
  'client',
  'queueUrl',
  'overflow',
  'maxConcurrency',
  'requestTimeoutMs',
  'clock',
] as const satisfies (keyof SqsRejectedSinkOptions)[]

/**
 * Sends rejected records to a queue, one message each, its body the `RejectedRecord` as JSON. A record whose envelope passes the queue's
 * limit of 1 MiB (its payload then has more than about 780 kB) goes to `overflow`. Without one it fails, and so stays unresolved: it ends in
 * the mapping's failure destination.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function sqsRejectedSink(options: SqsRejectedSinkOptions): RejectedSink {
  refuseUnknownOptions(options, KNOWN)
  const { client, queueUrl, overflow, clock = systemClock } = options
  requireFunction('client', client?.send, 'Pass an SQSClient.')
  requireText('queueUrl', queueUrl, 'Give the URL of the queue.')
  if (queueUrl.endsWith('.fifo'))
    throw new InvalidOptionError(
      'queueUrl',
      queueUrl,
      'Give a standard queue: rejected records have no order.',
    )
  if (overflow !== undefined) {
    requireFunction(
      'overflow',
      overflow?.write,
      'Pass a rejected sink, such as s3RejectedSink, or leave it out.',
    )
  }
  requireClock(clock)
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
      const { planned, tooLarge } = planMessages(records)
      const passedOn = tooLarge.length > 0 ? passOn(tooLarge, overflow, results, context) : undefined
      await Promise.all([passedOn, sendMessages(planned, target, context, results)])
      return results
    },
  }
}

function planMessages(records: readonly RejectedRecord[]): {
  planned: PlannedMessage[]
  tooLarge: TooLarge[]
} {
  const planned: PlannedMessage[] = []
  const tooLarge: TooLarge[] = []
  for (const [index, record] of records.entries()) {
    const body = envelopeText(record)
    const bytes = Buffer.byteLength(body)
    // Rejected records have no order: each is a lane of its own, so that none waits for another.
    if (bytes <= sqsQuotas.maxMessageBytes) planned.push({ index, partitionKey: String(index), bytes, body })
    else tooLarge.push({ index, record, bytes })
  }
  return { planned, tooLarge }
}

async function passOn(
  tooLarge: readonly TooLarge[],
  overflow: RejectedSink | undefined,
  results: SinkResult[],
  context: SinkContext,
): Promise<void> {
  let answers: readonly SinkResult[] = []
  let failure: unknown
  try {
    answers =
      (await overflow?.write(
        tooLarge.map(({ record }) => record),
        context,
      )) ?? []
  } catch (error) {
    failure = error
  }
  for (const [place, { index, bytes }] of tooLarge.entries()) {
    const message = `The rejected record has ${bytes} bytes; a message has at most ${sqsQuotas.maxMessageBytes}.`
    results[index] = answers[place] ?? { stored: false, error: failure ?? new Error(message) }
  }
}
