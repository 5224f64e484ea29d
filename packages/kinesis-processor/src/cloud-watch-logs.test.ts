import { gzipSync } from 'node:zlib'
import { encodeAggregate } from '@org/kinesis-core'
import { expectCheckpoint, kinesisEvent, lambdaContext, logSubscription } from '@org/kinesis-core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cloudWatchLogs, type LogEvent } from './cloud-watch-logs.js'
import { PermanentError } from './errors.js'
import { MemoryRejectedSink, MemorySink } from './handler-fixture.js'
import { json } from './json-decoder.js'
import { kinesisHandler } from './kinesis-handler.js'
import type { RecordPosition } from './stream-record.js'

const envelope = (messages: readonly string[], more: Record<string, unknown> = {}) => ({
  messageType: 'DATA_MESSAGE',
  owner: '123456789012',
  logGroup: '/aws/lambda/orders',
  logStream: '2026/01/01/[$LATEST]abc',
  subscriptionFilters: ['all'],
  logEvents: messages.map((message, n) => ({ id: `id-${n}`, timestamp: 1_767_225_600_000 + n, message })),
  ...more,
})
const packed = (value: unknown) => gzipSync(JSON.stringify(value))

const line = z.object({ level: z.string() })
type Line = z.infer<typeof line>

function logHandler(sink: MemorySink<LogEvent<Line>>, seen: RecordPosition[] = []) {
  const rejected = new MemoryRejectedSink()
  const handler = kinesisHandler({
    ...cloudWatchLogs(json(line)),
    steps: [
      (event: LogEvent<Line>, position) => {
        seen.push(position)
        if (event.message.level === 'debug') return undefined
        return event
      },
    ],
    sink,
    rejected,
    backoffBaseMs: 0,
    onUnresolved: () => {},
  })
  return { rejected, handler }
}

describe('records of CloudWatch Logs', () => {
  it('give a value for each log event, with where it comes from', async () => {
    const sink = new MemorySink<LogEvent<Line>>()
    const { handler } = logHandler(sink)

    await handler(
      kinesisEvent([{ data: packed(envelope(['{"level":"info"}', '{"level":"debug"}'])) }]),
      lambdaContext(),
    )

    expect(sink.stored).toEqual([
      {
        id: 'id-0',
        timestampMs: 1_767_225_600_000,
        message: { level: 'info' },
        logGroup: '/aws/lambda/orders',
        logStream: '2026/01/01/[$LATEST]abc',
        owner: '123456789012',
        subscriptionFilters: ['all'],
      },
    ])
  })

  it('give the text of the message where no decoder is named', async () => {
    const sink = new MemorySink<LogEvent<string>>()
    const handler = kinesisHandler({ ...cloudWatchLogs(), sink, rejected: new MemoryRejectedSink() })

    await handler(kinesisEvent([{ data: logSubscription(['START', 'END']) }]), lambdaContext())

    expect(sink.stored.map(({ message }) => message)).toEqual(['START', 'END'])
  })

  it('number the events of one record, also across the members of an aggregate, and begin anew with the next', async () => {
    const member = (...messages: string[]) => ({ partitionKey: 'log', data: packed(envelope(messages)) })
    const seen: RecordPosition[] = []
    const { handler } = logHandler(new MemorySink(), seen)
    const info = '{"level":"info"}'

    await handler(
      kinesisEvent([
        { data: encodeAggregate([member(info, info), member(info)]) },
        { data: packed(envelope([info, info])) },
      ]),
      lambdaContext(),
    )

    expect(seen.map(({ subSequenceNumber }) => subSequenceNumber)).toEqual([0, 1, 2, 0, 1])
  })

  it('are passed over where they are control messages', async () => {
    const sink = new MemorySink<LogEvent<Line>>()
    const { handler, rejected } = logHandler(sink)
    const control = envelope(['CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.'], {
      messageType: 'CONTROL_MESSAGE',
    })

    const response = await handler(kinesisEvent([{ data: packed(control) }]), lambdaContext())

    expect(response).toEqual({ batchItemFailures: [] })
    expect([sink.stored, rejected.records]).toEqual([[], []])
  })

  it('lose one bad event alone, and what is kept of it can be put back as it is', async () => {
    const sink = new MemorySink<LogEvent<Line>>()
    const { handler, rejected } = logHandler(sink)
    const messages = ['{"level":"info"}', '{"level":7}', 'no json', '{"level":"warn"}']

    await handler(kinesisEvent([{ data: packed(envelope(messages)) }]), lambdaContext())

    expect(sink.stored.map(({ id }) => id)).toEqual(['id-0', 'id-3'])
    expect(
      rejected.records.map(({ subSequenceNumber, reasonCode }) => [subSequenceNumber, reasonCode]),
    ).toEqual([
      [1, 'invalid'],
      [2, 'undecodable'],
    ])

    const again = rejected.records.map(({ payload }) => ({ data: Buffer.from(payload, 'base64') }))
    await handler(kinesisEvent(again), lambdaContext())
    expect(rejected.records.slice(2).map(({ payload }) => payload)).toEqual(
      rejected.records.slice(0, 2).map(({ payload }) => payload),
    )
  })

  it('come again as a whole where one event is unresolved', async () => {
    const sink = new MemorySink<LogEvent<Line>>(({ value }) =>
      value.id === 'id-1' ? new Error('down') : undefined,
    )
    const { handler } = logHandler(sink)
    const info = '{"level":"info"}'
    const event = kinesisEvent([{ data: packed(envelope([info])) }, { data: packed(envelope([info, info])) }])

    expectCheckpoint(await handler(event, lambdaContext()), event).at(1)
  })

  it('that are none are rejected whole, with their bytes', async () => {
    const { handler, rejected } = logHandler(new MemorySink())
    const records = [
      'no envelope',
      packed({ messageType: 'OTHER' }),
      packed(envelope([], { logEvents: 'none' })),
      packed(envelope([], { logEvents: [{ id: 'a', message: 'no timestamp' }] })),
      packed(envelope([], { logGroup: undefined })),
      packed(envelope([], { subscriptionFilters: [1] })),
      packed(null),
    ]

    const event = kinesisEvent(records.map((data) => ({ data })))
    const response = await handler(event, lambdaContext())

    expect(response).toEqual({ batchItemFailures: [] })
    expect(rejected.records.map(({ reasonCode }) => reasonCode)).toEqual(records.map(() => 'undecodable'))
    expect(rejected.records.map(({ payload }) => payload)).toEqual(
      event.Records.map(({ kinesis }) => kinesis.data),
    )
  })

  it('are refused where their events, each with its envelope, would take more than maxBytes', () => {
    const { unpack } = cloudWatchLogs(undefined, { maxBytes: 100_000 })
    const wide = envelope(
      Array.from({ length: 1_000 }, () => ''),
      { logGroup: 'g'.repeat(10_000) },
    )

    expect(() => unpack(packed(wide))).toThrow(/take more than 100000 bytes/)
    expect(() => unpack(packed(envelope(['x'.repeat(200_000)])))).toThrow(/more than 100000 bytes/)
  })

  it('never fail in another way, whatever JSON they hold', () => {
    const { unpack, decode } = cloudWatchLogs()
    const field = fc.oneof(fc.jsonValue(), fc.constant(undefined))
    const anyEnvelope = fc
      .record({
        messageType: fc.constantFrom('DATA_MESSAGE', 'CONTROL_MESSAGE', '__proto__'),
        owner: field,
        logGroup: field,
      })
      .chain((some) => fc.array(fc.jsonValue()).map((logEvents) => envelope([], { ...some, logEvents })))
    fc.assert(
      fc.property(fc.oneof(anyEnvelope, fc.jsonValue()), (value) => {
        const data = Buffer.from(JSON.stringify(value))
        for (const run of [unpack, decode]) {
          try {
            run(data)
          } catch (error) {
            expect(error).toBeInstanceOf(PermanentError)
          }
        }
      }),
    )
  })
})
