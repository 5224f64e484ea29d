import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ReadableStream } from 'node:stream/web'
import { startLocal } from '@org/kinesis-local'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  InvalidRecordError,
  KinesisProducer,
  type KinesisProducerOptions,
  QueueFullError,
  toWritable,
  toWritableStream,
} from '../src/index.js'

let local: Awaited<ReturnType<typeof startLocal>>
const producers: KinesisProducer[] = []
beforeAll(async () => {
  local = await startLocal({ streams: [{ name: 'orders', shards: 2 }] })
})
afterEach(async () => {
  for (const producer of producers.splice(0)) await producer.close({ deadlineMs: 0 })
})
afterAll(() => local.close())

function aProducer(options: Partial<KinesisProducerOptions> = {}) {
  const producer = new KinesisProducer({
    streamName: 'orders',
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    ...options,
  })
  producers.push(producer)
  return producer
}

function* records(count: number) {
  for (let index = 0; index < count; index++) yield { partitionKey: `key-${index}`, data: `${index}` }
}

async function* slowly(count: number) {
  for (const record of records(count)) {
    await Promise.resolve()
    yield record
  }
}

describe('all records of an iterable', () => {
  it.each([
    ['an array', () => [...records(700)]],
    ['a generator', () => records(700)],
    ['an async generator', () => slowly(700)],
    ['a stream of objects', () => Readable.from(records(700))],
  ])('are delivered from %s', async (_, source) => {
    expect(await aProducer().putAll(source())).toEqual({
      delivered: 700,
      failed: 0,
      firstError: undefined,
    })
  })

  it('are read no faster than there is room', async () => {
    const producer = aProducer({ maxBufferedBytes: 20_000 })
    let peakBytes = 0
    function* watched() {
      for (const record of records(2_000)) {
        peakBytes = Math.max(peakBytes, producer.stats().bufferedBytes)
        yield record
      }
    }

    expect(await producer.putAll(watched())).toMatchObject({ delivered: 2_000 })
    expect(peakBytes).toBeLessThanOrEqual(20_000)
  })

  it('may be larger than the room that is left', async () => {
    const producer = aProducer({ maxBufferedBytes: 400_000, whenFull: 'reject' })
    const large = { partitionKey: 'a', data: 'x'.repeat(300_000) }

    expect(await producer.putAll([large, ...records(20), large, large])).toMatchObject({ delivered: 23 })
  })

  it('end with the first that cannot be put, when those before it have settled', async () => {
    const producer = aProducer()
    const source = [...records(10), { partitionKey: '', data: 'x' }, ...records(10)]

    await expect(producer.putAll(source)).rejects.toThrow(InvalidRecordError)
    expect(producer.stats()).toMatchObject({ delivered: 10, pending: 0 })
  })

  it('count as failed, with the first error, where they were not delivered', async () => {
    const producer = aProducer({ streamName: 'nowhere' })

    expect(await producer.putAll(records(5))).toMatchObject({
      delivered: 0,
      failed: 5,
      firstError: { code: 'REQUEST_REJECTED' },
    })
  })
})

describe('a stream that is piped in', () => {
  it('ends when all its records have settled', async () => {
    const producer = aProducer({ maxBufferedBytes: 20_000 })

    await pipeline(Readable.from(records(1_500)), toWritable(producer))
    expect(producer.stats()).toMatchObject({ delivered: 1_500, pending: 0 })

    await ReadableStream.from(slowly(1_500)).pipeTo(toWritableStream(producer))
    expect(producer.stats()).toMatchObject({ delivered: 3_000, pending: 0 })
  })

  it('fails with the error of a record that cannot be put, or was not delivered', async () => {
    const bad = [{ partitionKey: 'a', data: 5 }]
    await expect(pipeline(Readable.from(bad), toWritable(aProducer()))).rejects.toThrow(InvalidRecordError)
    const nowhere = aProducer({ streamName: 'nowhere' })
    await expect(pipeline(Readable.from(records(3)), toWritable(nowhere))).rejects.toMatchObject({
      code: 'REQUEST_REJECTED',
    })
    await expect(ReadableStream.from(records(3)).pipeTo(toWritableStream(nowhere))).rejects.toMatchObject({
      code: 'REQUEST_REJECTED',
    })
  })
})

describe('a record without a promise', () => {
  it('is told to its callbacks, of which one that throws harms nobody', async () => {
    const producer = aProducer()
    const warnings: string[] = []
    const onWarning = (warning: Error) => warnings.push(warning.message)
    process.on('warning', onWarning)
    const delivered: string[] = []
    producer.enqueue({ partitionKey: 'a', data: 'x' }, () => {
      throw new Error('not prepared')
    })
    producer.enqueue({ partitionKey: 'a', data: 'x' }, ({ sequenceNumber }) => delivered.push(sequenceNumber))
    await producer.flush()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)

    expect(delivered).toHaveLength(1)
    expect(warnings).toEqual(['not prepared'])
    expect(producer.stats().delivered).toBe(2)
  })

  it('is refused when the buffer is full, after the answers have said so', async () => {
    const producer = aProducer({ maxBufferedBytes: 10_000 })
    const answers: boolean[] = []

    expect(() => {
      for (const record of records(100)) answers.push(producer.enqueue(record))
    }).toThrow(QueueFullError)

    expect(answers[0]).toBe(true)
    expect(answers.at(-1)).toBe(false)
    await producer.ready()
    expect(producer.enqueue({ partitionKey: 'a', data: 'x' })).toBe(true)
  })
})
