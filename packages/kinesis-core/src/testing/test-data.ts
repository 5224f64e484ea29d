import { gzipSync } from 'node:zlib'

/** What tests give as the data of a record: text as it is, bytes as they are, anything else as JSON. */
export function toBuffer(data: unknown): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof Uint8Array) return Buffer.from(data)
  return Buffer.from(JSON.stringify(data))
}

/** The data of a record, packed with gzip: `kinesisEvent([{ data: gzipped({ n: 1 }) }])`. */
export function gzipped(data: unknown): Buffer {
  return gzipSync(toBuffer(data))
}

export interface LogSubscriptionOptions {
  /** @default '/aws/lambda/test-function' */
  logGroup?: string
  /** @default 'test-stream' */
  logStream?: string
  /** Of the first line, in milliseconds since the epoch; each next is a millisecond later. @default 2026-01-01T00:00:00Z */
  timestampMs?: number
}

/**
 * The data of a record as a subscription filter of CloudWatch Logs puts it: gzip of an envelope with these lines (CloudWatch Logs user guide,
 * "Subscription filters").
 */
export function logSubscription(messages: readonly string[], options: LogSubscriptionOptions = {}): Buffer {
  const { logGroup = '/aws/lambda/test-function', logStream = 'test-stream' } = options
  const { timestampMs = Date.UTC(2026, 0, 1) } = options
  return gzipped({
    messageType: 'DATA_MESSAGE',
    owner: '000000000000',
    logGroup,
    logStream,
    subscriptionFilters: ['test-filter'],
    logEvents: messages.map((message, index) => ({
      id: String(index).padStart(56, '0'),
      timestamp: timestampMs + index,
      message,
    })),
  })
}
