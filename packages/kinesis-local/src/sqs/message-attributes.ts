import { createHash } from 'node:crypto'
import { sqsError } from './sqs-error.js'

interface AttributeValue {
  DataType: string
  StringValue?: string
  BinaryValue?: string
}

export type MessageAttributes = Readonly<Record<string, AttributeValue>>

export function readAttributes(value: unknown): MessageAttributes {
  const attributes = (value ?? {}) as Record<string, AttributeValue>
  for (const [name, attribute] of Object.entries(attributes)) {
    const { DataType, StringValue, BinaryValue } = attribute ?? {}
    if (
      typeof DataType !== 'string' ||
      (typeof StringValue !== 'string' && typeof BinaryValue !== 'string')
    ) {
      throw sqsError(
        'InvalidParameterValue',
        `The message attribute '${name}' must contain a non-empty message attribute type and value.`,
      )
    }
    if (!/^(String|Number|Binary)(\.|$)/.test(DataType)) {
      throw sqsError(
        'InvalidParameterValue',
        `The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`,
      )
    }
  }
  return attributes
}

/** Names, types and values, all of which count for the size of a message. */
export function attributesBytes(attributes: MessageAttributes): number {
  let bytes = 0
  for (const [name, attribute] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType) + bytesOf(attribute).length
  }
  return bytes
}

/** As clients compute it (developer guide, "Calculating the MD5 message digest for message attributes"). */
export function attributesMd5(attributes: MessageAttributes): string {
  const hash = createHash('md5')
  const part = (value: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(value.length)
    hash.update(length).update(value)
  }
  for (const name of Object.keys(attributes).sort()) {
    const attribute = attributes[name]!
    part(Buffer.from(name))
    part(Buffer.from(attribute.DataType))
    hash.update(Buffer.of(attribute.DataType.startsWith('Binary') ? 2 : 1))
    part(bytesOf(attribute))
  }
  return hash.digest('hex')
}

function bytesOf({ StringValue, BinaryValue }: AttributeValue): Buffer {
  return StringValue === undefined ? Buffer.from(BinaryValue ?? '', 'base64') : Buffer.from(StringValue)
}
