import { createHash } from 'node:crypto'
import { attributesMd5, type MessageAttributes } from './message-attributes.js'
import type { QueuedMessage } from './queue.js'
import type { SqsInput } from './sqs-input.js'

/** Clients check the digests, and take a wrong one for a corrupt message. */
export function describeSent({ messageId, body, attributes }: QueuedMessage) {
  return { MessageId: messageId, MD5OfMessageBody: md5(body), ...digestOf(attributes) }
}

/** Attributes come only where they are asked for, by name, by `prefix.*`, or all of them. */
export function describeReceived(message: QueuedMessage, input: SqsInput): object {
  const attributes = Object.fromEntries(
    Object.entries(message.attributes).filter(([name]) => isAsked(name, input.MessageAttributeNames)),
  )
  const system = Object.entries({
    SentTimestamp: String(message.sentAtMs),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs),
  }).filter(
    ([name]) => isAsked(name, input.MessageSystemAttributeNames) || isAsked(name, input.AttributeNames),
  )
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(Object.keys(attributes).length === 0 ? {} : { MessageAttributes: attributes }),
    ...digestOf(attributes),
    ...(system.length === 0 ? {} : { Attributes: Object.fromEntries(system) }),
  }
}

function isAsked(name: string, asked: unknown): boolean {
  if (!Array.isArray(asked)) return false
  return asked.some(
    (one) =>
      one === 'All' ||
      one === '.*' ||
      one === name ||
      (typeof one === 'string' && one.endsWith('.*') && name.startsWith(one.slice(0, -1))),
  )
}

function digestOf(attributes: MessageAttributes) {
  return Object.keys(attributes).length === 0 ? {} : { MD5OfMessageAttributes: attributesMd5(attributes) }
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
