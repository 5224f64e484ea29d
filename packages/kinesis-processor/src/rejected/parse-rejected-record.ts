import { StreamingError } from '@org/kinesis-core'
import type { RejectedRecord } from '../rejected-record.js'

/** A text is not an envelope that this release reads; the message names the field, or the version. */
export class InvalidRejectedRecordError extends StreamingError {
  override name = 'InvalidRejectedRecordError'
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'INVALID_REJECTED_RECORD', retryable: false, cause })
  }
}

/** Of a whole envelope, in characters: the largest record that a stream takes (10 MiB) has 14 MiB in base64. */
export const MAX_ENVELOPE_LENGTH = 16 * 1024 * 1024

/**
 * Of an envelope without its payload, in characters. Text can hold objects that take many times its size in memory; a payload is one
 * string. An honest envelope has some 40,000 characters here at most, unless its partition key is beyond what Kinesis takes.
 */
const MAX_LENGTH_BESIDE_PAYLOAD = 2 * 1024 * 1024

/**
 * Reads one envelope, as the rejected sinks write it. Fields that this release does not know are left out.
 *
 * @throws InvalidRejectedRecordError for anything that is not a whole envelope of version 1, a later version among them
 */
export function parseRejectedRecord(text: string): RejectedRecord {
  if (typeof text !== 'string') throw new InvalidRejectedRecordError('The envelope is not text.')
  requireBounded(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new InvalidRejectedRecordError('The envelope is no JSON.', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidRejectedRecordError('The envelope is JSON, but no object.')
  }
  const envelope = value as Record<string, unknown>
  requireKnownVersion(envelope.version)
  const textOf = (field: string) => requireText(field, envelope[field])
  return {
    version: 1,
    streamArn: textOf('streamArn'),
    streamName: textOf('streamName'),
    shardId: textOf('shardId'),
    sequenceNumber: textOf('sequenceNumber'),
    subSequenceNumber: requireNumber('subSequenceNumber', envelope.subSequenceNumber, isPlace),
    partitionKey: textOf('partitionKey'),
    arrivalMs: requireNumber('arrivalMs', envelope.arrivalMs, Number.isFinite),
    arrivalTime: textOf('arrivalTime'),
    rejectedTime: textOf('rejectedTime'),
    reasonCode: textOf('reasonCode'),
    errors: requireErrors(envelope.errors),
    payload: requireBase64(textOf('payload')),
  }
}

function requireBounded(text: string): void {
  if (text.length > MAX_ENVELOPE_LENGTH) {
    throw new InvalidRejectedRecordError(
      `The envelope has ${text.length} characters; the largest has ${MAX_ENVELOPE_LENGTH}.`,
    )
  }
  const payload = /"payload"\s{0,8}:\s{0,8}"/.exec(text)
  const begin = payload === null ? 0 : payload.index + payload[0].length
  const end = payload === null ? 0 : text.indexOf('"', begin)
  const rest = text.length - Math.max(0, end - begin)
  if (rest > MAX_LENGTH_BESIDE_PAYLOAD) {
    throw new InvalidRejectedRecordError(
      `The envelope has ${rest} characters beside its payload; at most ${MAX_LENGTH_BESIDE_PAYLOAD} are read.`,
    )
  }
}

function requireKnownVersion(version: unknown): void {
  if (version === 1) return
  if (typeof version === 'number' && version > 1) {
    throw new InvalidRejectedRecordError(
      `The envelope is of version ${version}; this release of @org/kinesis-processor reads version 1: use a later one.`,
    )
  }
  throw wrongField('version', version, '1')
}

function requireText(field: string, value: unknown): string {
  if (typeof value !== 'string') throw wrongField(field, value, 'text')
  return value
}

function requireNumber(field: string, value: unknown, holds: (value: number) => boolean): number {
  if (typeof value !== 'number' || !holds(value)) throw wrongField(field, value, 'a number that can be')
  return value
}

function isPlace(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function requireErrors(value: unknown): RejectedRecord['errors'] {
  if (!Array.isArray(value)) throw wrongField('errors', value, 'a list')
  return value.map((entry: { name?: unknown; message?: unknown } | null, index) => ({
    name: requireText(`errors[${index}].name`, entry?.name),
    message: requireText(`errors[${index}].message`, entry?.message),
  }))
}

/** Buffer passes over what is no base64: a damaged payload would go back as another one. */
function requireBase64(payload: string): string {
  if (Buffer.from(payload, 'base64').toString('base64') === payload) return payload
  throw new InvalidRejectedRecordError('The envelope is broken: payload is no base64.')
}

function wrongField(field: string, value: unknown, expected: string): InvalidRejectedRecordError {
  const found = value === undefined ? 'missing' : `${describe(value)}, not ${expected}`
  return new InvalidRejectedRecordError(`The envelope is broken: ${field} is ${found}.`)
}

/** Without going into it: it may be nested deeper than a stack. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'a list' : 'an object'
}
