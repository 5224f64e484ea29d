import { InvalidOptionError, StreamingError } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { runOn } from '../handler-fixture.js'
import { outcomes, sinkRecords, time } from '../sink-fixture.js'
import { kinesisSink } from './kinesis-sink.js'
import type { KinesisSinkOptions, OutgoingRecord } from './kinesis-sink-options.js'

/** A producer that answers when it is flushed, and tells what happened in which order. `fault` has an error for a record, or none. */
function scripted(fault: (record: OutgoingRecord) => unknown = () => undefined) {
  const events: string[] = []
  const halted = new Set<string>()
  let open: (() => void)[] = []
  return {
    events,
    halted,
    put(record: OutgoingRecord): Promise<unknown> {
      events.push(`put ${record.data}`)
      if (halted.has(record.partitionKey)) return Promise.reject(new Error('halted'))
      return new Promise((resolve, reject) => {
        open.push(() => {
          events.push(`settled ${record.data}`)
          const error = halted.has(record.partitionKey) ? new Error('halted') : fault(record)
          if (error === undefined) return resolve({})
          halted.add(record.partitionKey)
          reject(error)
        })
      })
    },
    async flush() {
      events.push('flush')
      const due = open
      open = []
      await Promise.resolve()
      for (const settle of due) settle()
    },
    resumeKey(partitionKey: string) {
      halted.delete(partitionKey)
    },
  }
}

const write = (options: KinesisSinkOptions<string>, ...values: [partitionKey: string, value: string][]) =>
  kinesisSink<string>(options).write(sinkRecords(...values), time)

describe('a Kinesis sink', () => {
  it('puts the next record of a key when the one before it is in the stream, those of all keys at once', async () => {
    const producer = scripted()

    const results = await write({ producer }, ['a', 'a1'], ['a', 'a2'], ['b', 'b1'], ['a', 'a3'])

    expect(outcomes(results)).toEqual(Array(4).fill('stored'))
    expect(producer.events).toEqual([
      ...['put a1', 'put b1', 'flush', 'settled a1', 'settled b1'],
      ...['put a2', 'flush', 'settled a2'],
      ...['put a3', 'flush', 'settled a3'],
    ])
  })

  it('holds back what stands behind a record that failed, and lets the key through again', async () => {
    const producer = scripted(({ data }) => (data === 'a1' ? new Error('expired') : undefined))

    const results = await write({ producer }, ['a', 'a1'], ['a', 'a2'], ['b', 'b1'], ['b', 'b2'])

    expect(outcomes(results)).toEqual(['failed', 'failed', 'stored', 'stored'])
    expect(results[1]).toMatchObject({ error: { message: 'An earlier record of its partition key failed.' } })
    expect(producer.events).not.toContain('put a2')
    expect([...producer.halted]).toEqual([])
  })

  it('puts all at once where the producer keeps the order, and resumes a key that it halted', async () => {
    let isDown = true
    const producer = scripted(({ data }) => (isDown && data === 'a2' ? new Error('expired') : undefined))
    const records: [string, string][] = [
      ['a', 'a1'],
      ['a', 'a2'],
      ['a', 'a3'],
      ['b', 'b1'],
    ]

    const first = await write({ producer, producerKeepsOrder: true }, ...records)
    isDown = false
    const again = await write({ producer, producerKeepsOrder: true }, ...records.slice(1, 3))

    expect(producer.events.slice(0, 5)).toEqual(['put a1', 'put a2', 'put a3', 'put b1', 'flush'])
    expect(outcomes(first)).toEqual(['stored', 'failed', 'failed', 'stored'])
    expect(first[1]).toMatchObject({ error: { message: 'expired' } })
    expect(outcomes(again)).toEqual(['stored', 'stored'])
  })

  it.each(['RECORD_TOO_LARGE', 'INVALID_RECORD'])(
    'rejects a record that no stream takes, and goes on with its key: %s',
    async (code) => {
      const producer = scripted(({ data }) =>
        data === 'a1' ? new StreamingError('data: too much', { code, retryable: false }) : undefined,
      )

      const results = await write({ producer }, ['a', 'a1'], ['a', 'a2'])

      expect(outcomes(results)).toEqual(['unstorable', 'stored'])
    },
  )

  it('leaves a record that the producer refuses for another reason: it is closed, or the stream is not there', async () => {
    const error = new StreamingError('closed', { code: 'PRODUCER_CLOSED', retryable: false })
    const producer = {
      put(): never {
        throw error
      },
    }

    const results = await write({ producer }, ['a', 'a1'])

    expect(results).toEqual([{ stored: false, error }])
  })

  it('does not wait beyond the time that is left, and puts nothing when it is over', async () => {
    const clock = new ManualClock()
    const deadlineMs = clock.now() + 500
    const context = { remainingMs: () => deadlineMs - clock.now() }
    const put: string[] = []
    const producer = {
      put({ data }: OutgoingRecord) {
        put.push(String(data))
        return data === 'b1' ? Promise.resolve() : new Promise(() => {})
      },
    }
    const sink = kinesisSink<string>({ producer, clock })
    const records = sinkRecords(['a', 'a1'], ['b', 'b1'], ['b', 'b2'], ['a', 'a2'])

    const results = await runOn(clock, sink.write(records, context))

    expect(outcomes(results)).toEqual(['failed', 'stored', 'failed', 'failed'])
    expect(results[0]).toMatchObject({ error: { message: expect.stringMatching(/it may do so yet/) } })
    expect(put).toEqual(['a1', 'b1'])
    expect(clock.now()).toBe(deadlineMs)
  })

  it('puts text and bytes as they are, anything else as JSON, under the same key, or what `record` makes of them', async () => {
    const put: OutgoingRecord[] = []
    const producer = { put: async (record: OutgoingRecord) => put.push(record) }
    const bytes = Uint8Array.of(1)
    const record = (value: unknown) => ({ partitionKey: 'other', data: `${value}!`, explicitHashKey: '0' })

    await kinesisSink<unknown>({ producer }).write(
      sinkRecords<unknown>(['a', 'text'], ['b', bytes], ['c', { n: 1 }], ['d', 7]),
      time,
    )
    await kinesisSink<unknown>({ producer, record }).write(sinkRecords<unknown>(['a', 'text']), time)

    expect(put).toEqual([
      { partitionKey: 'a', data: 'text' },
      { partitionKey: 'b', data: bytes },
      { partitionKey: 'c', data: '{"n":1}' },
      { partitionKey: 'd', data: '7' },
      { partitionKey: 'other', data: 'text!', explicitHashKey: '0' },
    ])
  })

  it.each<[string, object]>([
    ['producer', { producer: undefined }],
    ['producer', { producer: {} }],
    ['record', { record: 'x' }],
    ['producerKeepsOrder', { producerKeepsOrder: 'per-key' }],
    ['clock', { clock: {} }],
    ['streamName', { streamName: 'x' }],
  ])('fails when it is built with options that cannot work: %s', (option, wrong) => {
    const build = () => kinesisSink({ producer: { put() {} }, ...wrong } as never)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })
})
