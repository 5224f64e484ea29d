import { unstorable } from '../errors.js'

/** Undefined and empty values are left out: a message cannot hold them. */
export type MessageAttributes = Readonly<Record<string, string | number | bigint | Uint8Array | undefined>>

/** As SQS and SNS take them. */
export type WireAttributes = Record<
  string,
  { DataType: string; StringValue?: string; BinaryValue?: Uint8Array }
>

/** SQS developer guide, "Message metadata"; a topic that delivers raw messages to a queue drops those with more. */
const MAX_ATTRIBUTES = 10
const NAME = /^(?!\.)(?!.*\.\.)(?!.*\.$)(?!aws\.|amazon\.)[\w.-]{1,256}$/i

/**
 * Names come from code, not from data: a wrong one is an ordinary error, which rejects no record.
 *
 * @throws PermanentError for a value that no attribute can hold
 */
export function wireAttributes(attributes: MessageAttributes): WireAttributes {
  const wire: WireAttributes = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === '' || (value instanceof Uint8Array && value.byteLength === 0))
      continue
    if (!NAME.test(name)) throw new TypeError(`No message attribute can be named ${JSON.stringify(name)}.`)
    wire[name] = wireAttribute(name, value)
  }
  const count = Object.keys(wire).length
  if (count > MAX_ATTRIBUTES)
    throw new TypeError(`attributes gave ${count}: a message has at most ${MAX_ATTRIBUTES}.`)
  return wire
}

function wireAttribute(name: string, value: unknown): WireAttributes[string] {
  if (typeof value === 'string') return { DataType: 'String', StringValue: value }
  if (value instanceof Uint8Array) return { DataType: 'Binary', BinaryValue: value }
  if (typeof value === 'bigint' || Number.isFinite(value))
    return { DataType: 'Number', StringValue: String(value) }
  if (typeof value === 'number') throw unstorable(`The attribute ${name} is ${value}, which is no number.`)
  throw new TypeError(
    `The attribute ${name} is of type ${typeof value}: give text, numbers, bytes or undefined.`,
  )
}

export function attributesBytes(attributes: WireAttributes): number {
  let bytes = 0
  for (const [name, { DataType, StringValue = '', BinaryValue }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + DataType.length
    bytes += BinaryValue?.byteLength ?? Buffer.byteLength(StringValue)
  }
  return bytes
}
