import { type Clock, systemClock } from '@org/kinesis-core'
import { requireClock, requireFunction, whole } from '../option-checks.js'
import { planWrites } from '../requests/planned-write.js'
import type { Sink, SinkRecord, SinkResult } from '../sink.js'
import type { RecordPosition } from '../stream-record.js'
import { deduplicationId, groupId } from './fifo-ids.js'
import { type MessageAttributes, wireAttributes } from './message-attributes.js'
import { messageBytes, type PlannedMessage, textOf } from './planned-message.js'
import { type MessageTarget, sendMessages } from './send-messages.js'

/** What queues and topics have in common. */
export interface MessageOptions<T> {
  /** The message of a record. @default text as it is, anything else as JSON */
  body?: (value: T, position: RecordPosition) => string
  /** Up to ten; what is undefined or empty is left out. @default none */
  attributes?: (value: T, position: RecordPosition) => MessageAttributes
  /** Requests at once. @default 4 */
  maxConcurrency?: number
  /** A request without an answer for so long has failed, in milliseconds. @default 10_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
}

/** For the sinks of either, which have options of their own besides. */
export const MESSAGE_OPTIONS = [
  'body',
  'attributes',
  'maxConcurrency',
  'requestTimeoutMs',
  'clock',
] as const satisfies (keyof MessageOptions<unknown>)[]

type Destination = Pick<
  MessageTarget,
  'what' | 'isFifo' | 'maxBatchEntries' | 'maxMessageBytes' | 'sendBatch'
>

/** A sink that makes a message of each record. */
export function messageSink<T>(options: MessageOptions<T>, destination: Destination): Sink<T> {
  const { body = textOf, attributes = () => ({}), clock = systemClock } = options
  requireFunction('body', body, 'Pass a function from a value to a text, or leave it out.')
  requireFunction(
    'attributes',
    attributes,
    'Pass a function from a value to its attributes, or leave it out.',
  )
  requireClock(clock)
  const target: MessageTarget = {
    ...destination,
    clock,
    maxConcurrency: whole('maxConcurrency', options.maxConcurrency ?? 4, 1),
    requestTimeoutMs: whole('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 1),
  }
  const { isFifo, maxMessageBytes } = target

  const plan = ({ value, position }: SinkRecord<T>, index: number): PlannedMessage => {
    const text = body(value, position)
    const wire = wireAttributes(attributes(value, position))
    return {
      index,
      partitionKey: position.partitionKey,
      bytes: messageBytes(text, wire, maxMessageBytes),
      body: text,
      attributes: Object.keys(wire).length === 0 ? undefined : wire,
      ...(isFifo ? { groupId: groupId(position), deduplicationId: deduplicationId(position) } : {}),
    }
  }
  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      await sendMessages(planWrites(records, plan, results), target, context, results)
      return results
    },
  }
}
