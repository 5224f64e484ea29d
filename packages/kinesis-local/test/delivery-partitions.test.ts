import { ManualClock } from '@org/kinesis-core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { aDelivery, cleanUp, errorsIn, objectsIn, raw, readAll } from './delivery-fixture.js'
import { aStream } from './stream-fixture.js'

afterEach(cleanUp)

const partitioned = {
  handler: 'partition',
  dynamicPartitioning: true,
  prefix: 'customer=!{partitionKeyFromLambda:customer}/!{timestamp:yyyy}/',
  errorPrefix: 'errors/!{firehose:error-output-type}/',
}

const order = (customer: string, number = 1) => JSON.stringify({ customer, number: String(number) })
const folders = (objects: { name: string }[]) => objects.map(({ name }) => name.split('/')[0])

describe('dynamic partitioning', () => {
  it('puts the records of each partition into objects of its own', async () => {
    const stream = aStream({ clock: new ManualClock(Date.UTC(2026, 10, 23)) })
    for (const [index, customer] of ['a', 'b', 'a', 'c', 'b', 'a'].entries()) {
      stream.put('key', order(customer, index))
    }
    const { delivery, folder } = await aDelivery(stream.service, partitioned)

    await delivery.drain()

    const objects = await objectsIn(folder)
    expect(objects.map(({ name }) => name.replace(/[^/]*$/, ''))).toEqual([
      'customer=a/2026/',
      'customer=b/2026/',
      'customer=c/2026/',
    ])
    expect(objects[0]!.text).toBe(`${order('a', 0)}\n${order('a', 2)}\n${order('a', 5)}\n`)
    expect(delivery.stats()).toMatchObject({ deliveredRecords: 6, objects: 3, activePartitions: 0 })
  })

  it('buffers each partition by itself', async () => {
    const stream = aStream()
    const { delivery, folder } = await aDelivery(stream.service, {
      ...partitioned,
      bufferBytes: 3 * (order('a').length + 1),
      transformBufferBytes: 1,
    })
    for (const customer of ['a', 'b', 'a', 'b', 'c', 'a']) stream.put('key', order(customer))

    await expect.poll(() => delivery.stats().objects).toBe(1)
    await expect.poll(() => delivery.stats().activePartitions).toBe(2)

    expect(folders(await objectsIn(folder))).toEqual(['customer=a'])
    await delivery.drain()
    expect(folders(await objectsIn(folder))).toEqual(['customer=a', 'customer=b', 'customer=c'])
  })

  it('sends records beyond the active partitions to the error prefix, and takes new partitions when old ones are written', async () => {
    const stream = aStream()
    const { delivery, folder } = await aDelivery(stream.service, {
      ...partitioned,
      maxActivePartitions: 2,
      transformBufferBytes: 1,
      bufferIntervalMs: 1_000,
    })
    for (const customer of ['a', 'b', 'c', 'a']) stream.put('key', order(customer))
    await expect
      .poll(() => delivery.stats(), { timeout: 10_000 })
      .toMatchObject({
        activePartitions: 0,
        deliveredRecords: 3,
        failedRecords: 1,
      })

    stream.put('key', order('d'))
    await delivery.drain()

    expect(folders(await objectsIn(folder))).toEqual(['customer=a', 'customer=b', 'customer=d'])
    const [object] = await readAll(folder, (name) => name.startsWith('errors/'))
    expect(object!.name).toMatch(/^errors\/activePartitionExceeded\//)
    const [line] = await errorsIn(folder)
    expect(line).toMatchObject({ errorCode: 'DynamicPartitioning.ActivePartitionsLimitExceeded' })
    expect(raw(line!)).toBe(`${order('c')}\n`)
  })

  it('sends records without a key, or with one that makes the prefix too long, to the error prefix', async () => {
    const stream = aStream()
    for (const record of [
      {},
      { customer: '' },
      { customer: 7 },
      { customer: 'x'.repeat(512) },
      { customer: 'a' },
    ]) {
      stream.put('key', JSON.stringify(record))
    }
    const { delivery, folder } = await aDelivery(stream.service, partitioned)

    await delivery.drain()

    expect(folders(await objectsIn(folder))).toEqual(['customer=a'])
    const errors = await errorsIn(folder)
    expect(errors).toHaveLength(4)
    expect(new Set(errors.map(({ errorCode }) => errorCode))).toEqual(
      new Set(['DynamicPartitioning.MetadataExtractionFailed']),
    )
    const [object] = await readAll(folder, (name) => name.startsWith('errors/'))
    expect(object!.name).toMatch(/^errors\/processing-failed\//)
  })

  it('keeps what records say inside the folder', async () => {
    const stream = aStream()
    const customers = ['..', '../../outside', '/absolute', 'nul\u0000', 'x'.repeat(400)]
    for (const customer of customers) stream.put('key', order(customer))
    const { delivery, folder } = await aDelivery(stream.service, {
      ...partitioned,
      prefix: '!{partitionKeyFromLambda:customer}/!{timestamp:yyyy}/',
    })

    await delivery.drain()

    expect(delivery.stats()).toMatchObject({ deliveredRecords: 5, failedRecords: 0 })
    expect(await objectsIn(folder)).toHaveLength(5)
  })

  it('writes the largest partition early where many small ones would fill memory', async () => {
    const stream = aStream()
    const { delivery, folder } = await aDelivery(stream.service, { ...partitioned, bufferBytes: 1024 * 1024 })
    const filler = 'x'.repeat(700_000)
    for (let index = 0; index < 40; index += 1) {
      stream.put('key', JSON.stringify({ customer: `c-${index}`, filler }))
    }

    await expect.poll(() => delivery.stats().recordsRead, { timeout: 10_000 }).toBe(40)
    await expect.poll(() => delivery.stats().objects).toBeGreaterThan(10)

    expect(delivery.stats().bufferedBytes).toBeLessThan(20 * 1024 * 1024)
    await delivery.drain()
    expect(await objectsIn(folder)).toHaveLength(40)
  })

  it('refuses options that cannot work together', async () => {
    const { service } = aStream()
    const { handler: _, ...withoutTransform } = partitioned
    await expect(aDelivery(service, withoutTransform)).rejects.toThrow(/^dynamicPartitioning/)
    await expect(aDelivery(service, { ...partitioned, prefix: 'raw/' })).rejects.toThrow(/^prefix/)
    await expect(aDelivery(service, { ...partitioned, maxActivePartitions: 0 })).rejects.toThrow(
      /^maxActivePartitions/,
    )
    const { errorPrefix: __, ...withoutErrors } = partitioned
    await expect(aDelivery(service, withoutErrors)).rejects.toThrow(/^errorPrefix/)
  })
})
