import { unstorable } from '../errors.js'
import { jsonText } from '../json-text.js'
import type { SizedWrite } from '../requests/request-plan.js'
import { attributesBytes, type WireAttributes } from './message-attributes.js'

export interface PlannedMessage extends SizedWrite {
  body: string
  attributes?: WireAttributes | undefined
  /** Of FIFO targets. */
  groupId?: string | undefined
  deduplicationId?: string | undefined
}

/** Characters that XML 1.0 cannot hold: SQS refuses them (API reference, SendMessage), and SNS could not deliver them there. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones refused
const REFUSED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

/** Text as it is, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : jsonText(value)
}

/**
 * Bytes that count against the limits: the body, and names, types and values of attributes.
 *
 * @throws PermanentError for a message that no queue or topic of this limit takes
 */
export function messageBytes(body: string, attributes: WireAttributes, maxMessageBytes: number): number {
  if (typeof body !== 'string') throw new TypeError(`body gave a ${typeof body}: it must give a text.`)
  if (body === '') throw unstorable('The message is empty.')
  const refused = REFUSED.exec(body)
  if (refused !== null) {
    const code = refused[0].charCodeAt(0).toString(16).padStart(4, '0')
    throw unstorable(`The message holds the character U+${code}, which no queue takes.`)
  }
  if (!body.isWellFormed()) throw unstorable('The message holds half a surrogate pair, which is no text.')
  const bytes = Buffer.byteLength(body) + attributesBytes(attributes)
  if (bytes > maxMessageBytes)
    throw unstorable(`The message has ${bytes} bytes; a message has at most ${maxMessageBytes}.`)
  return bytes
}
