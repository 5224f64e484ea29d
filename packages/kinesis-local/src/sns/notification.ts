import { ServiceError } from '../service.js'
import { invalidParameter } from './sns-error.js'
import type { Subscription } from './topic.js'

interface AttributeValue {
  DataType: string
  StringValue?: string
  /** Base64. */
  BinaryValue?: string
}

/** One published message, checked. */
export interface Notification {
  messageId: string
  /** For SQS: that part of a message with `MessageStructure` json. */
  message: string
  subject: string | undefined
  attributes: Readonly<Record<string, AttributeValue>>
  publishedAtMs: number
  bytes: number
}

/** Reads what Publish and the entries of PublishBatch have in common. */
export function readNotification(
  input: Record<string, unknown>,
  messageId: string,
  publishedAtMs: number,
): Notification {
  const { Message, Subject, MessageStructure } = input
  if (typeof Message !== 'string' || Message === '') throw invalidParameter('Empty message')
  const attributes = readAttributes(input.MessageAttributes)
  return {
    messageId,
    message: MessageStructure === 'json' ? messageForSqs(Message) : Message,
    subject: readSubject(Subject),
    attributes,
    publishedAtMs,
    bytes: Buffer.byteLength(Message) + attributesBytes(attributes),
  }
}

/** What a queue gets: the message itself, or the documented JSON ("Amazon SNS message and JSON formats"). Nothing here signs. */
export function toSqsMessage(
  { messageId, message, subject, attributes, publishedAtMs }: Notification,
  { arn, topicArn, isRaw }: Subscription,
  url: string,
): { MessageBody: string; MessageAttributes?: Readonly<Record<string, AttributeValue>> } {
  const hasAttributes = Object.keys(attributes).length > 0
  if (isRaw) return { MessageBody: message, ...(hasAttributes ? { MessageAttributes: attributes } : {}) }
  const document = {
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject === undefined ? {} : { Subject: subject }),
    Message: message,
    Timestamp: new Date(publishedAtMs).toISOString(),
    SignatureVersion: '1',
    Signature: 'unsigned',
    SigningCertURL: `${url}/SimpleNotificationService.pem`,
    UnsubscribeURL: `${url}/?Action=Unsubscribe&SubscriptionArn=${arn}`,
    ...(hasAttributes ? { MessageAttributes: describeAttributes(attributes) } : {}),
  }
  return { MessageBody: JSON.stringify(document, null, 2) }
}

function messageForSqs(message: string): string {
  let parts: unknown
  try {
    parts = JSON.parse(message)
  } catch {
    throw invalidParameter('Message Structure - JSON message body failed to parse')
  }
  const { sqs, default: fallback } = (parts ?? {}) as { sqs?: unknown; default?: unknown }
  if (typeof fallback !== 'string') {
    throw invalidParameter('Message Structure - No default entry in JSON message body')
  }
  return typeof sqs === 'string' ? sqs : fallback
}

/** API reference, Publish: up to 100 ASCII characters, no line breaks or control characters. */
function readSubject(subject: unknown): string | undefined {
  if (subject === undefined || subject === null) return undefined
  if (typeof subject !== 'string' || !/^[\x20-\x7e]{1,99}$/.test(subject) || subject.startsWith(' ')) {
    throw invalidParameter('Subject')
  }
  return subject
}

function readAttributes(value: unknown): Readonly<Record<string, AttributeValue>> {
  const attributes = Object.entries((value ?? {}) as Record<string, Partial<AttributeValue>>)
  return Object.fromEntries(attributes.map(([name, attribute]) => [name, readAttribute(name, attribute)]))
}

function readAttribute(name: string, attribute: unknown): AttributeValue {
  const { DataType, StringValue, BinaryValue } = (attribute ?? {}) as Record<string, unknown>
  if (typeof DataType !== 'string' || !/^(String|Number|Binary)(\.|$)/.test(DataType)) {
    throw attributeError(`The message attribute '${name}' must contain a valid message attribute type.`)
  }
  if (DataType.startsWith('Binary')) {
    if (BinaryValue instanceof Uint8Array) {
      return { DataType, BinaryValue: Buffer.from(BinaryValue).toString('base64') }
    }
    if (typeof BinaryValue === 'string' && BinaryValue !== '') return { DataType, BinaryValue }
  } else if (typeof StringValue === 'string' && StringValue !== '') return { DataType, StringValue }
  throw attributeError(
    `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${DataType}'.`,
  )
}

function attributeError(message: string): ServiceError {
  return new ServiceError('ParameterValueInvalid', message)
}

function attributesBytes(attributes: Readonly<Record<string, AttributeValue>>): number {
  let bytes = 0
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(DataType)
    bytes +=
      StringValue === undefined
        ? Buffer.byteLength(BinaryValue ?? '', 'base64')
        : Buffer.byteLength(StringValue)
  }
  return bytes
}

function describeAttributes(attributes: Readonly<Record<string, AttributeValue>>) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { Type: DataType, Value: StringValue ?? BinaryValue },
    ]),
  )
}
