import type { FirehoseEvent } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { UnexpectedEventError } from '../errors.js'
import { json, parseJson } from '../json-decoder.js'
import { firehoseTransform } from './firehose-transform.js'

function firehoseEvent(records: readonly (string | Uint8Array)[]): FirehoseEvent {
  return {
    invocationId: 'invocation',
    deliveryStreamArn: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/lake',
    sourceKinesisStreamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks',
    region: 'us-east-1',
    records: records.map((data, index) => ({
      recordId: `record-${index}`,
      approximateArrivalTimestamp: 1_700_000_000_000 + index,
      data: Buffer.from(data as string).toString('base64'),
      kinesisRecordMetadata: {
        shardId: 'shardId-000000000000',
        partitionKey: 'a',
        sequenceNumber: String(index),
        subsequenceNumber: 3,
        approximateArrivalTimestamp: 1_700_000_000_000 + index,
      },
    })),
  }
}

const textOf = (data: string | undefined) => Buffer.from(data ?? '', 'base64').toString()
const asIs = firehoseTransform({ decode: parseJson, map: (value) => ({ value }) })

describe('a Firehose transform', () => {
  it('answers every record: transformed, dropped, or failed', async () => {
    const transform = firehoseTransform({
      decode: json(z.object({ n: z.number() })),
      map: async ({ n }) => {
        if (n === 2) return undefined
        if (n === 3) throw new Error('cannot be mapped')
        return { value: { n, text: 'two\nlines' } }
      },
    })

    const { records } = await transform(
      firehoseEvent(['{"n":1}', '{"n":2}', '{"n":3}', 'no json', '{"n":"x"}']),
    )

    expect(records.map(({ recordId, result }) => [recordId, result])).toEqual([
      ['record-0', 'Ok'],
      ['record-1', 'Dropped'],
      ['record-2', 'ProcessingFailed'],
      ['record-3', 'ProcessingFailed'],
      ['record-4', 'ProcessingFailed'],
    ])
    expect(textOf(records[0]!.data)).toBe('{"n":1,"text":"two\\nlines"}\n')
  })

  it('drops what the decoder gives as undefined', async () => {
    const transform = firehoseTransform({ decode: () => undefined, map: () => ({ value: 1 }) })

    expect((await transform(firehoseEvent(['x']))).records).toEqual([
      { recordId: 'record-0', result: 'Dropped' },
    ])
  })

  it('hands on partition keys, and tells the map where a record is from', async () => {
    const transform = firehoseTransform({
      decode: parseJson,
      map: (_, position, nowMs) => ({ value: { position, nowMs }, partitionKeys: { kind: 'click' } }),
      clock: { now: () => 42, schedule: () => () => {} },
    })

    const { records } = await transform(firehoseEvent(['{}']))

    expect(records[0]!.metadata).toEqual({ partitionKeys: { kind: 'click' } })
    expect(JSON.parse(textOf(records[0]!.data))).toEqual({
      position: {
        recordId: 'record-0',
        arrivalMs: 1_700_000_000_000,
        shardId: 'shardId-000000000000',
        sequenceNumber: '0',
        subSequenceNumber: 3,
        partitionKey: 'a',
      },
      nowMs: 42,
    })
  })

  it('says why a record failed', async () => {
    const failures: string[] = []
    const transform = firehoseTransform({
      decode: parseJson,
      map: () => ({ value: undefined }),
      onFailed: (error, { recordId }) => {
        failures.push(`${recordId}: ${(error as Error).message}`)
        throw new Error('a listener that fails harms nobody')
      },
    })

    const { records } = await transform(firehoseEvent(['{}', '{']))

    expect(records.map(({ result }) => result)).toEqual(['ProcessingFailed', 'ProcessingFailed'])
    expect(failures).toEqual([
      'record-0: The value has no JSON.',
      expect.stringMatching(/^record-1: .*no JSON/),
    ])
  })

  it('keeps the response within 6 MB, and no record without an answer', async () => {
    // 40 times 150 kB are 6 MB, and 8 MB in base64.
    const large = JSON.stringify('x'.repeat(150_000))
    const event = firehoseEvent([...Array.from({ length: 40 }, () => large), '"small"'])

    const response = await asIs(event)

    expect(Buffer.byteLength(JSON.stringify(response))).toBeLessThanOrEqual(6 * 1024 * 1024)
    expect(response.records.map(({ recordId }) => recordId)).toEqual(
      event.records.map(({ recordId }) => recordId),
    )
    const ok = response.records.filter(({ result }) => result === 'Ok').length
    expect(ok).toBe(Math.floor((6 * 1024 * 1024) / 200_090) + 1)
    expect(response.records.at(-1)!.result).toBe('Ok')
    expect(response.records.every(({ result, data }) => (result === 'Ok') === (data !== undefined))).toBe(
      true,
    )
  })

  it('gives one line of JSON for each record or none, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.uint8Array(), fc.json()), { maxLength: 10 }), async (data) => {
        const { records } = await asIs(firehoseEvent(data))

        expect(records).toHaveLength(data.length)
        for (const [index, { recordId, result, data: output }] of records.entries()) {
          expect(recordId).toBe(`record-${index}`)
          if (result !== 'Ok') continue
          expect(textOf(output)).toMatch(/^[^\n]+\n$/)
          JSON.parse(textOf(output))
        }
      }),
    )
  })

  it('answers an empty batch, and refuses the event of another service', async () => {
    expect(await asIs(firehoseEvent([]))).toEqual({ records: [] })
    for (const event of [undefined, {}, { Records: [] }, { records: [{ data: '' }] }, { records: [null] }])
      await expect(asIs(event as never)).rejects.toThrow(UnexpectedEventError)
  })
})
