import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { type Clock, refuseUnknownOptions, sqsQuotas, systemClock } from '@org/kinesis-core'
import { requireClock, requireFunction, requireText, whole } from '../option-checks.js'
import {
  type RejectedEntry,
  type RejectedRemoval,
  type RejectedSource,
  readEnvelope,
} from '../rejected/rejected-source.js'
import { withTimeout } from '../requests/request-timeout.js'

export interface SqsRejectedSourceOptions {
  client: SQSClient
  queueUrl: string
  /**
   * For so long the queue hides from others what it has shown, in milliseconds, from 30 seconds to 12 hours. It should be longer than it takes
   * to put a window of records back. @default 900_000
   */
  visibilityTimeoutMs?: number
  /** A request without an answer for so long has failed, in milliseconds, 2,000 or more. @default 10_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
}

export interface SqsRejectedEntry extends RejectedEntry {
  readonly messageId: string
  readonly receiptHandle: string
}

const KNOWN = [
  'client',
  'queueUrl',
  'visibilityTimeoutMs',
  'requestTimeoutMs',
  'clock',
] as const satisfies (keyof SqsRejectedSourceOptions)[]

/** Any wait makes SQS ask all of its servers (developer guide, "Short and long polling"), so an empty answer means an empty queue. */
const WAIT_SECONDS = 1

/** How far the clock of the queue may be ahead of the reader's. */
const MAX_CLOCK_SKEW_MS = 60_000

/** Messages that others go on sending would keep a reading from its end. */
const MAX_RECEIVES_WITHOUT_OLDER = 10

/**
 * Rejected records in a queue, as `sqsRejectedSink` sends them. A queue cannot be read without receiving: what it shows is hidden from others
 * until `release`, counts as received (mind a redrive policy), and comes in no certain order. A reading takes in what was sent before it
 * began, and in the minute after.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function sqsRejectedSource(options: SqsRejectedSourceOptions): RejectedSource<SqsRejectedEntry> {
  refuseUnknownOptions(options, KNOWN)
  const { client, queueUrl, clock = systemClock } = options
  requireFunction('client', client?.send, 'Pass an SQSClient.')
  requireText('queueUrl', queueUrl, 'Give the URL of the queue.')
  requireClock(clock)
  const visibilityMs = whole(
    'visibilityTimeoutMs',
    options.visibilityTimeoutMs ?? 900_000,
    30_000,
    43_200_000,
  )
  const timeoutMs = whole('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 2_000)
  const within = <R>(request: (abortSignal: AbortSignal) => Promise<R>) =>
    withTimeout({ clock, timeoutMs, what: 'SQS' }, request)
  /** Receipt handles by message: what was shown and not taken away. */
  const hidden = new Map<string, string>()

  const receive = async (): Promise<Message[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: sqsQuotas.maxBatchEntries,
      VisibilityTimeout: Math.ceil(visibilityMs / 1_000),
      WaitTimeSeconds: WAIT_SECONDS,
      MessageSystemAttributeNames: ['SentTimestamp'],
    })
    // Not ended by the reader's signal: the queue would hide messages that nobody has seen.
    const { Messages = [] } = await within((abortSignal) => client.send(command, { abortSignal }))
    return Messages
  }

  const deleteBatch = async (entries: readonly SqsRejectedEntry[]): Promise<RejectedRemoval[]> => {
    const command = new DeleteMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: entries.map(({ messageId, receiptHandle }, index) => ({
        Id: String(index),
        // A message that was shown again has another handle.
        ReceiptHandle: hidden.get(messageId) ?? receiptHandle,
      })),
    })
    try {
      const { Successful = [], Failed = [] } = await within((abortSignal) =>
        client.send(command, { abortSignal }),
      )
      const removals: RejectedRemoval[] = entries.map(() => ({
        removed: false,
        error: new Error('The queue gave no answer for the message.'),
      }))
      for (const { Id } of Successful) removals[Number(Id)] = { removed: true }
      for (const { Id, Code, Message = 'the queue did not delete the message' } of Failed) {
        removals[Number(Id)] = { removed: false, error: new Error(`${Code}: ${Message}`) }
      }
      return removals
    } catch (error) {
      return entries.map(() => ({ removed: false, error }))
    }
  }

  return {
    async *entries({ signal } = {}) {
      const untilMs = clock.now() + MAX_CLOCK_SKEW_MS
      for (let receives = 0; receives < MAX_RECEIVES_WITHOUT_OLDER && !signal?.aborted; receives++) {
        const messages = await receive()
        if (messages.length === 0) return
        const unseen = messages.filter(({ MessageId }) => !hidden.has(MessageId!))
        for (const { MessageId, ReceiptHandle } of messages) hidden.set(MessageId!, ReceiptHandle!)
        const older = unseen.filter(({ Attributes }) => !(Number(Attributes?.SentTimestamp) > untilMs))
        // Those seen before are hidden anew, so there is an end to them.
        if (older.length > 0 || unseen.length < messages.length) receives = -1
        for (const message of older) {
          if (signal?.aborted) return
          yield entryOf(message)
        }
      }
    },
    async remove(entries) {
      const removals: RejectedRemoval[] = []
      for (const batch of batchesOf(entries)) {
        for (const [index, removal] of (await deleteBatch(batch)).entries()) {
          if (removal.removed) hidden.delete(batch[index]!.messageId)
          removals.push(removal)
        }
      }
      return removals
    },
    async release() {
      for (const batch of batchesOf([...hidden.values()])) {
        const command = new ChangeMessageVisibilityBatchCommand({
          QueueUrl: queueUrl,
          Entries: batch.map((ReceiptHandle, index) => ({
            Id: String(index),
            ReceiptHandle,
            VisibilityTimeout: 0,
          })),
        })
        try {
          await within((abortSignal) => client.send(command, { abortSignal }))
        } catch {
          // They come back by themselves when their time is over.
          break
        }
      }
      hidden.clear()
    },
  }
}

function entryOf({ MessageId, ReceiptHandle, Body }: Message): SqsRejectedEntry {
  return {
    place: `message ${MessageId}`,
    messageId: MessageId!,
    receiptHandle: ReceiptHandle!,
    ...readEnvelope(Body ?? ''),
  }
}

function batchesOf<T>(list: readonly T[]): T[][] {
  const batches: T[][] = []
  for (let begin = 0; begin < list.length; begin += sqsQuotas.maxBatchEntries) {
    batches.push(list.slice(begin, begin + sqsQuotas.maxBatchEntries))
  }
  return batches
}
