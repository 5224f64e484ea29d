import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { firehoseTransform } from './firehose/firehose-transform.js'
import { functionSink } from './function-sink.js'
import { MemoryRejectedSink, MemorySink } from './handler-fixture.js'
import { json, parseJson } from './json-decoder.js'
import { kinesisHandler } from './kinesis-handler.js'
import { fileRejectedSink } from './rejected/file-rejected-sink.js'
import { tumblingWindows } from './windows/tumbling-windows.js'

const good = { decode: parseJson, sink: new MemorySink(), rejected: new MemoryRejectedSink() }
const windows = { decode: parseJson, key: () => 'k', emit: new MemorySink() }
const transform = { decode: parseJson, map: (value: unknown) => ({ value }) }

type Case = [what: string, option: string, build: () => unknown]

const cases: Case[] = [
  ['no options', 'options', () => kinesisHandler(undefined as never)],
  ['no decoder', 'decode', () => kinesisHandler({ ...good, decode: undefined as never })],
  ['no sink', 'sink', () => kinesisHandler({ ...good, sink: undefined as never })],
  ['a sink without write', 'sink', () => kinesisHandler({ ...good, sink: {} as never })],
  ['no rejected sink', 'rejected', () => kinesisHandler({ ...good, rejected: undefined as never })],
  ['steps that are no list', 'steps', () => kinesisHandler({ ...good, steps: ((v: unknown) => v) as never })],
  ['a step that is no function', 'steps', () => kinesisHandler({ ...good, steps: ['trim'] as never })],
  [
    'a step for many records that is none',
    'steps',
    () => kinesisHandler({ ...good, steps: [{ run: 'x' }] as never }),
  ],
  ['no step in the list of steps', 'steps', () => kinesisHandler({ ...good, steps: [undefined] as never })],
  ['an unpack that is no function', 'unpack', () => kinesisHandler({ ...good, unpack: 'gzip' as never })],
  ['a logger of another shape', 'logger', () => kinesisHandler({ ...good, logger: { info() {} } as never })],
  ['a tracer of another shape', 'tracer', () => kinesisHandler({ ...good, tracer: { trace() {} } as never })],
  ['a report to nobody', 'onBatch', () => kinesisHandler({ ...good, onBatch: 'log' as never })],
  ['an option that does not exist', 'maxRetries', () => kinesisHandler({ ...good, maxRetries: 3 } as never)],
  ['no concurrency', 'maxConcurrency', () => kinesisHandler({ ...good, maxConcurrency: 0 })],
  ['no attempt', 'maxAttempts', () => kinesisHandler({ ...good, maxAttempts: 0 })],
  ['a fraction of an attempt', 'maxAttempts', () => kinesisHandler({ ...good, maxAttempts: 1.5 })],
  ['a negative delay', 'backoffBaseMs', () => kinesisHandler({ ...good, backoffBaseMs: -1 })],
  [
    'a first delay above the longest',
    'backoffBaseMs',
    () => kinesisHandler({ ...good, backoffBaseMs: 500, backoffMaxMs: 100 }),
  ],
  ['a negative margin', 'deadlineMarginMs', () => kinesisHandler({ ...good, deadlineMarginMs: -1 })],
  [
    'metrics of another shape',
    'metrics',
    () => kinesisHandler({ ...good, metrics: { addMetric() {} } as never }),
  ],
  ['an event type without metrics', 'eventType', () => kinesisHandler({ ...good, eventType: () => 'CLICK' })],
  ['a clock that is none', 'clock', () => kinesisHandler({ ...good, clock: {} as never })],
  ['random that is none', 'random', () => kinesisHandler({ ...good, random: 0.5 as never })],
  [
    'a listener that is none',
    'onUnresolved',
    () => kinesisHandler({ ...good, onUnresolved: 'log' as never }),
  ],
  ['no schema', 'schema', () => json(undefined as never)],
  ['a schema of no standard', 'schema', () => json({ parse() {} } as never)],
  ['a function sink without a function', 'write', () => functionSink(undefined as never)],
  [
    'a function sink without concurrency',
    'maxConcurrency',
    () => functionSink(() => {}, { maxConcurrency: 0 }),
  ],
  ['a file sink without a folder', 'folder', () => fileRejectedSink({ folder: '' })],
  ['a transform without a map', 'map', () => firehoseTransform({ ...transform, map: undefined as never })],
  ['a transform with steps', 'steps', () => firehoseTransform({ ...transform, steps: [] } as never)],
  ['windows without a key', 'key', () => tumblingWindows({ ...windows, key: undefined as never })],
  ['windows without a sink', 'emit', () => tumblingWindows({ ...windows, emit: undefined as never })],
  ['windows of no length', 'windowMs', () => tumblingWindows({ ...windows, windowMs: 0 })],
  ['windows with a rejected sink', 'rejected', () => tumblingWindows({ ...windows, rejected: {} } as never)],
]

describe('options that cannot work', () => {
  it.each(cases)('fail when the handler is built: %s', (_, option, build) => {
    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })

  it('are explained with the value and the remedy', () => {
    expect(() => kinesisHandler({ ...good, rejected: undefined as never })).toThrow(
      'rejected: undefined cannot be used. Pass a rejected sink: without one a bad record would block its shard, or be lost.',
    )
    expect(() => kinesisHandler({ ...good, maxRetries: 3 } as never)).toThrow(
      /maxRetries: 3 cannot be used. There is no such option. Known are decode, /,
    )
  })
})
