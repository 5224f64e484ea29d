import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { ManualClock } from '@org/kinesis-core/testing'
import { buildApp } from 'fauxqs'
import { afterEach, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../src/delivery/object-store.js'
import { s3Store } from '../src/delivery/s3-store.js'
import { startLocal } from '../src/start-local.js'
import { aDelivery, cleanUp, cleanUpAfter, errorsIn, objectsIn, raw, readAll } from './delivery-fixture.js'
import { aStream } from './stream-fixture.js'

afterEach(cleanUp)

async function rowsOf(file: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const reader = await connection.runAndReadAll(`SELECT * FROM '${file}' ORDER BY ALL`)
  connection.closeSync()
  instance.closeSync()
  return reader.getRowObjectsJson()
}

describe('Parquet', () => {
  const columns = {
    user_id: 'string',
    value: 'decimal(10,2)',
    at: 'timestamp',
    'odd "name"': 'int',
    metadata: 'struct<device:string,tags:array<string>>',
  }

  it('holds the columns of JSON records, and what does not fit goes to the error prefix', async () => {
    const stream = aStream()
    const { SequenceNumber } = stream.put('key', '{"user_id":"u1","value":"a lot"}')
    for (const data of [
      '{"user_id":"u2","value":1.005,"at":"2026-01-02T03:04:05Z","odd \\"name\\"":7,"metadata":{"device":"phone","tags":["a"]}}',
      'no json',
      '{"user_id":"u3","more":1}\n{"user_id":"u4"}',
    ]) {
      stream.put('key', data)
    }
    const { delivery, folder } = await aDelivery(stream.service, { parquet: { columns } })

    await delivery.drain()

    const [object, ...others] = await readAll(folder, (name) => !name.startsWith('errors/'))
    expect(others).toEqual([])
    expect(object!.name).toMatch(/\.parquet$/)
    expect(await rowsOf(join(folder, object!.name))).toMatchObject([
      {
        user_id: 'u2',
        value: '1.01',
        at: '2026-01-02 03:04:05',
        'odd "name"': 7,
        metadata: { device: 'phone', tags: ['a'] },
      },
      { user_id: 'u3', value: null, metadata: null },
      { user_id: 'u4' },
    ])
    const errors = await errorsIn(folder)
    expect(errors.map((line) => [raw(line), line.lastErrorCode])).toEqual([
      ['{"user_id":"u1","value":"a lot"}', 'DataFormatConversion.MalformedData'],
      ['no json', 'DataFormatConversion.ParseError'],
    ])
    expect(errors[0]).toEqual({
      attemptsMade: 1,
      arrivalTimestamp: expect.any(Number),
      lastErrorCode: 'DataFormatConversion.MalformedData',
      lastErrorMessage: 'Column value is no decimal number.',
      attemptEndingTimestamp: expect.any(Number),
      rawData: expect.any(String),
      sequenceNumber: SequenceNumber,
      subSequenceNumber: 0,
      dataCatalogTable: null,
    })
    const [errorObject] = await readAll(folder, (name) => name.startsWith('errors/'))
    expect(errorObject!.name).toMatch(/^errors\/format-conversion-failed\//)
    expect(delivery.stats()).toMatchObject({ deliveredRecords: 2, failedRecords: 2, unresolvedRecords: 0 })
  })

  it('leaves out what fits but cannot be read, which would keep the others for ever', async () => {
    const stream = aStream()
    const unreadable = ['{"user_id":"\\ud800"}', '{"at":"0000-01-01T00:00:00+05:00"}']
    for (const data of ['{"user_id":"u1"}', ...unreadable, '{"user_id":"u2"}', '{"user_id":"u3"}'])
      stream.put('key', data)
    const { delivery, folder } = await aDelivery(stream.service, { parquet: { columns } })

    await delivery.drain()

    const [object] = await readAll(folder, (name) => !name.startsWith('errors/'))
    expect(await rowsOf(join(folder, object!.name))).toMatchObject([
      { user_id: 'u1' },
      { user_id: 'u2' },
      { user_id: 'u3' },
    ])
    expect((await errorsIn(folder)).map((line) => [raw(line), line.lastErrorCode])).toEqual(
      unreadable.map((data) => [data, 'DataFormatConversion.ParseError']),
    )
    expect(delivery.stats()).toMatchObject({ deliveredRecords: 3, failedRecords: 2, unresolvedRecords: 0 })
  })

  it('is not written where no record fits', async () => {
    const stream = aStream()
    stream.put('key', 'no json')
    const { delivery, folder } = await aDelivery(stream.service, { parquet: { columns } })

    await delivery.drain()

    expect(await readAll(folder, (name) => name.endsWith('.parquet'))).toEqual([])
    expect(delivery.stats()).toMatchObject({ objects: 0, failedRecords: 1, unresolvedRecords: 0 })
  })

  it('is compressed as asked for', async () => {
    const stream = aStream()
    for (let index = 0; index < 1_000; index += 1)
      stream.put('key', JSON.stringify({ user_id: `user ${index % 10} `.repeat(20) }))
    const sizeWith = async (compression: 'SNAPPY' | 'GZIP' | 'UNCOMPRESSED') => {
      const { delivery } = await aDelivery(stream.service, {
        parquet: { columns: { user_id: 'string' }, compression },
      })
      await delivery.drain()
      return delivery.stats().deliveredBytes
    }

    expect(await sizeWith('GZIP')).toBeLessThan(await sizeWith('UNCOMPRESSED'))
  })

  it.each([
    [{ id: 'string', ID: 'string' }, /^parquet\.columns: .*id and ID differ by their case alone/],
    [{ '': 'string' }, /^parquet\.columns: .*a name is empty/],
    [{ 'a\0b': 'string' }, /^parquet\.columns: .*has a NUL/],
    [{ s: 'struct<a:int,A:int>' }, /^parquet\.columns\.s: .*a and A differ by their case alone/],
    [{ id: 5 }, /^parquet\.columns\.id: 5 cannot be used.*a type is text/],
  ])(
    'refuses columns that DuckDB would, before they keep every object for ever: %j',
    async (names, message) => {
      const { service } = aStream()
      const delivery = aDelivery(service, { parquet: { columns: names as Record<string, string> } })
      await expect(delivery).rejects.toThrow(message)
    },
  )

  it('refuses columns that are none, and compression twice', async () => {
    const { service } = aStream()
    await expect(aDelivery(service, { parquet: { columns: {} } })).rejects.toThrow(/^parquet\.columns/)
    await expect(aDelivery(service, { parquet: { columns: { a: 'text' } } })).rejects.toThrow(
      /^parquet\.columns\.a: .*there is no type text here/,
    )
    await expect(aDelivery(service, { parquet: { columns, compression: 'ZIP' as 'GZIP' } })).rejects.toThrow(
      /^parquet\.compression/,
    )
    await expect(aDelivery(service, { parquet: { columns }, compression: 'GZIP' })).rejects.toThrow(
      /^compression/,
    )
  })
})

describe('names of objects', () => {
  it('are in the time zone that was asked for, with the extension that was', async () => {
    const stream = aStream({ clock: new ManualClock(Date.UTC(2026, 10, 23, 20, 5, 7)) })
    stream.put('key', 'a')
    const { delivery, folder } = await aDelivery(stream.service, {
      timeZone: 'Asia/Tokyo',
      fileExtension: '.jsonl.gz',
      prefix: 'at=!{timestamp:yyyy-MM-dd}/',
    })

    await delivery.drain()

    expect((await objectsIn(folder))[0]!.name).toMatch(
      /^at=2026-11-24\/lake-delivery-1-2026-11-24-05-05-07-[0-9a-f-]{36}\.jsonl\.gz$/,
    )
  })

  it('are refused where they cannot be', async () => {
    const { service } = aStream()
    await expect(aDelivery(service, { timeZone: 'Mars/Olympus' })).rejects.toThrow(/^timeZone/)
    await expect(aDelivery(service, { fileExtension: 'gz' })).rejects.toThrow(/^fileExtension/)
  })
})

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUpAfter(async () => server.closeAllConnections())
  cleanUpAfter(async () => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a destination', () => {
  it('may be a bucket of an S3 endpoint', async () => {
    const app = buildApp({ logger: false })
    const endpoint = await app.listen({ host: '127.0.0.1', port: 0 })
    cleanUpAfter(() => app.close())
    const client = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    })
    cleanUpAfter(async () => client.destroy())
    await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
    const stream = aStream({ clock: new ManualClock(Date.UTC(2026, 10, 23)) })
    stream.put('key', 'a\n')
    stream.put('key', 'b\n')
    const { delivery } = await aDelivery(stream.service, {
      destination: { bucket: 'lake', endpoint },
      compression: 'UNCOMPRESSED',
      prefix: 'orders/!{timestamp:yyyy}/',
    })

    await delivery.drain()

    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: 'lake' }))
    expect(Contents?.map(({ Key }) => Key)).toEqual([
      expect.stringMatching(/^orders\/2026\/lake-delivery-1-/),
    ])
    const { Body, ContentType } = await client.send(
      new GetObjectCommand({ Bucket: 'lake', Key: Contents![0]!.Key }),
    )
    expect(await Body!.transformToString()).toBe('a\nb\n')
    expect(ContentType).toBe('application/octet-stream')
  })

  it('makes no connection for what is put when it is closed', async () => {
    let connections = 0
    const server = createServer((request, response) => void request.resume().on('end', () => response.end()))
    server.on('connection', () => {
      connections += 1
    })
    const endpoint = await listening(server)
    const metadata = { contentType: 'text/plain' }
    const store = s3Store({ bucket: 'lake', endpoint })

    const begun = store.put('begun', Buffer.from('a'), metadata)
    store.close!()

    await expect(begun).rejects.toThrow('The destination lake is closed.')
    await expect(store.put('after', Buffer.from('a'), metadata)).rejects.toThrow('is closed')
    expect(connections).toBe(0)
  })

  it('is in the region of startLocal, unless it says otherwise', async () => {
    const signedFor: string[] = []
    const server = createServer((request, response) => {
      signedFor.push(/\/\d{8}\/([^/]+)\/s3\//.exec(request.headers.authorization ?? '')![1]!)
      request.resume().on('end', () => response.end())
    })
    const endpoint = await listening(server)
    const local = await startLocal({ region: 'eu-west-1', streams: [{ name: 'orders' }] })
    cleanUpAfter(() => local.close())
    local.kinesis.call('PutRecord', { StreamName: 'orders', PartitionKey: 'a', Data: Buffer.from('a') })

    for (const region of [{}, { region: 'ap-south-1' }]) {
      const destination = { bucket: 'lake', endpoint, ...region }
      await local.createDeliveryStream({ name: 'lake', streamName: 'orders', destination }).drain()
    }

    expect(signedFor).toEqual(['eu-west-1', 'ap-south-1'])
  })

  it('may be a store of the caller, which is asked again for the same object until it takes it', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const puts: string[] = []
    const objects = new Map<string, string>()
    const destination: ObjectStore = {
      async put(key, bytes) {
        puts.push(key)
        if (puts.length < 3) throw new Error('not now')
        objects.set(key, Buffer.from(bytes).toString())
      },
    }
    const { delivery } = await aDelivery(stream.service, { destination, compression: 'UNCOMPRESSED' })

    await delivery.drain()

    expect([...objects.values()]).toEqual(['a'])
    expect(delivery.stats().lastError).toBe('Error: not now')
    expect(new Set(puts).size).toBe(1)
  })

  it('makes data older that it does not take, for whoever watches its age', async () => {
    const clock = new ManualClock(Date.UTC(2026, 10, 23))
    const stream = aStream({ clock })
    stream.put('key', 'a')
    await clock.advance(60_000)
    let puts = 0
    const destination: ObjectStore = {
      async put() {
        puts += 1
        if (puts === 1) throw new Error('not now')
      },
    }
    const { host } = await aDelivery(stream.service, { destination, clock, bufferIntervalMs: 0 })
    const valuesOf = (metric: string) =>
      host.data.filter(({ name }) => name === metric).map(({ value }) => value)

    for (let step = 0; puts < 2 && step < 1_000; step += 1) await clock.advance(100)

    expect(valuesOf('DeliveryToS3.Success')).toEqual([0, 1])
    expect(valuesOf('DeliveryToS3.DataFreshness')[0]).toBeGreaterThanOrEqual(60)
  })

  it('is one, and is said plainly', async () => {
    const { service } = aStream()
    await expect(aDelivery(service, { destination: { bucket: 'A bucket' } })).rejects.toThrow(
      /^destination\.bucket/,
    )
    await expect(
      aDelivery(service, { destination: { bucket: 'lake', endpoint: 'nowhere' } }),
    ).rejects.toThrow(/^destination\.endpoint/)
  })
})
