import type { KinesisEvent } from '@org/kinesis-core'
import { kinesisEvent, type TestRecord } from '@org/kinesis-core/testing'
import { z } from 'zod'
import { instantClock, MemorySink } from '../handler-fixture.js'
import { json } from '../json-decoder.js'
import { stats } from './measures.js'
import { tumblingWindows } from './tumbling-windows.js'
import type { WindowPartial } from './window-partial.js'
import type { TumblingWindowsOptions, WindowCounts } from './windows-options.js'

export const NOON = Date.UTC(2026, 0, 1, 12)
const schema = z.object({ user: z.string(), at: z.number().optional(), value: z.number().optional() })
export type Click = z.infer<typeof schema>
export const aggregates = { value: stats(({ value }: Click) => value) }
export type Partials = WindowPartial<typeof aggregates>

/** An event `afterMs` after noon. */
export const click = (user: string, afterMs: number, value?: number): TestRecord => ({
  partitionKey: user,
  data: { user, at: NOON + afterMs, value },
  arrivalMs: NOON + afterMs,
})

export function windowsOf(options: Partial<TumblingWindowsOptions<Click, typeof aggregates>> = {}) {
  const sink = new MemorySink<Partials>()
  const counts: WindowCounts[] = []
  const handler = tumblingWindows({
    decode: json(schema),
    key: ({ user }) => user,
    time: ({ at }) => at,
    aggregates,
    emit: sink,
    onInvocation: (of) => counts.push(of),
    clock: instantClock(),
    ...options,
  })
  return { handler, sink, counts }
}

interface Invocation {
  state?: Record<string, unknown>
  final?: boolean
  early?: boolean
}

export const windowEvent = (
  records: TestRecord[],
  { state = {}, final = false, early = false }: Invocation = {},
): KinesisEvent => ({
  ...kinesisEvent(records),
  window: { start: '2026-01-01T12:00:00Z', end: '2026-01-01T12:01:00Z' },
  state,
  shardId: 'shardId-000000000000',
  eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/test-stream',
  isFinalInvokeForWindow: final,
  isWindowTerminatedEarly: early,
})
