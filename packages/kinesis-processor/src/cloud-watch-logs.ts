import { refuseUnknownOptions } from '@org/kinesis-core'
import { isPromise } from './decode-record.js'
import { undecodable } from './errors.js'
import { DEFAULT_MAX_BYTES, isGzip, MAX_OUTPUT_BYTES, unpackGzip } from './gunzip.js'
import { type Decoder, parseJson } from './json-decoder.js'
import { requireFunction, whole } from './option-checks.js'
import { text } from './plain-decoders.js'
import type { Unpack } from './unpack.js'

/** One line of a log, with where it comes from. */
export interface LogEvent<T> {
  /** Unique among all log events, and the same each time: a key for whoever stores it. */
  id: string
  /** Milliseconds since the epoch. */
  timestampMs: number
  message: T
  logGroup: string
  logStream: string
  /** The account that the log is in. */
  owner: string
  subscriptionFilters: string[]
}

export interface CloudWatchLogsOptions {
  /**
   * What one record may unpack to, in bytes, and also its log events together, each with the envelope around it; a larger one is rejected
   * as undecodable. @default 10_485_760
   */
  maxBytes?: number
}

/** Options for a handler; spread them: `kinesisHandler({ ...cloudWatchLogs(), sink, rejected })`. */
export interface CloudWatchLogsInput<T> {
  unpack: Unpack
  decode: Decoder<LogEvent<T>>
}

/**
 * Reads what a subscription filter of CloudWatch Logs puts into a stream: gzip of a JSON envelope with many log events. Each event becomes a
 * record of its own, as the members of an aggregate do: with steps, a place and, if need be, a rejection of its own. Control messages,
 * by which CloudWatch Logs tries the stream, are passed over. (CloudWatch Logs user guide, "Subscription filters".)
 *
 * What is kept of a rejected event is an envelope with that event alone, which this reads as well: so it can be put back as it is.
 *
 * @param decode for the message of each event. @default its text
 * @throws InvalidOptionError for options that cannot work
 */
export function cloudWatchLogs(
  decode?: undefined,
  options?: CloudWatchLogsOptions,
): CloudWatchLogsInput<string>
export function cloudWatchLogs<T>(decode: Decoder<T>, options?: CloudWatchLogsOptions): CloudWatchLogsInput<T>
export function cloudWatchLogs(
  decode: Decoder<unknown> = text(),
  options: CloudWatchLogsOptions = {},
): CloudWatchLogsInput<unknown> {
  requireFunction('decode', decode, 'Pass a decoder for the message of a log event, such as json(schema).')
  refuseUnknownOptions(options, ['maxBytes'])
  const maxBytes = whole('maxBytes', options.maxBytes ?? DEFAULT_MAX_BYTES, 1, MAX_OUTPUT_BYTES)
  return {
    unpack: (data) => eachEvent(isGzip(data) ? unpackGzip(data, maxBytes) : data, maxBytes),
    decode(data) {
      const { logEvents, logGroup, logStream, owner, subscriptionFilters } = readEnvelope(data)
      const { id, timestamp, message } = readLogEvent(logEvents[0])
      const logEvent = (decoded: unknown): LogEvent<unknown> | undefined =>
        decoded === undefined
          ? undefined
          : { id, timestampMs: timestamp, message: decoded, logGroup, logStream, owner, subscriptionFilters }
      const decoded = decode(Buffer.from(message))
      // Undefined drops the event, as it does with every decoder.
      return (isPromise(decoded) ? decoded.then(logEvent) : logEvent(decoded)) as LogEvent<unknown>
    },
  }
}

interface Envelope {
  messageType: string
  owner: string
  logGroup: string
  logStream: string
  subscriptionFilters: string[]
  logEvents: unknown[]
}

/** An envelope for each event: whatever else stands in the envelope goes along. */
function eachEvent(data: Uint8Array, maxBytes: number): Uint8Array[] {
  const envelope = readEnvelope(data)
  if (envelope.messageType === 'CONTROL_MESSAGE') return []
  let leftBytes = maxBytes
  return envelope.logEvents.map((logEvent) => {
    readLogEvent(logEvent)
    const alone = Buffer.from(JSON.stringify({ ...envelope, logEvents: [logEvent] }))
    leftBytes -= alone.byteLength
    if (leftBytes < 0) throw undecodable(`The log events of the record take more than ${maxBytes} bytes.`)
    return alone
  })
}

function readEnvelope(data: Uint8Array): Envelope {
  const envelope = parseJson(data)
  if (!isObject(envelope)) throw undecodable('The record is no envelope of CloudWatch Logs.')
  const { messageType, logEvents, subscriptionFilters } = envelope
  if (messageType !== 'DATA_MESSAGE' && messageType !== 'CONTROL_MESSAGE')
    throw undecodable('The record is no envelope of CloudWatch Logs: its messageType is none.')
  for (const field of ['owner', 'logGroup', 'logStream'])
    if (typeof envelope[field] !== 'string') throw undecodable(`The envelope has no ${field}.`)
  if (!Array.isArray(logEvents)) throw undecodable('The envelope has no logEvents.')
  if (!Array.isArray(subscriptionFilters) || !subscriptionFilters.every((name) => typeof name === 'string'))
    throw undecodable('The envelope has no subscriptionFilters.')
  return envelope as unknown as Envelope
}

function readLogEvent(logEvent: unknown): { id: string; timestamp: number; message: string } {
  const { id, timestamp, message } = isObject(logEvent) ? logEvent : {}
  if (typeof id !== 'string' || typeof timestamp !== 'number' || typeof message !== 'string')
    throw undecodable('A log event has no id, timestamp or message.')
  return { id, timestamp, message }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
