import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  KinesisProducer,
  ProducerClosedError,
  type ProducerError,
  type SpoolDamage,
  SpoolError,
} from '../src/index.js'
import {
  aProducer,
  aService,
  aSpoolDirectory,
  cleanUp,
  leave,
  numbered,
  numbersIn,
  startSpooledProducer,
} from './spooled-producer-fixture.js'

afterEach(cleanUp)

describe('a spool that is full', () => {
  it.each(['wait', 'reject'] as const)(
    "refuses puts with whenFull: '%s', until records have settled",
    async (whenFull) => {
      const service = await aService({ isDown: true })
      const spool = { directory: aSpoolDirectory(), maxBytes: 8_192, segmentBytes: 4_096 }
      const producer = aProducer(service.local, { spool, whenFull })
      await producer.ready()

      const puts = numbered(0, 12, 1_000).map((record) => producer.put(record))
      const { put, refused, pending } = producer.stats()
      expect({ refused, pending }).toEqual({ refused: 12 - put, pending: put })
      const errors = await Promise.all(
        puts.slice(put).map((refusedPut) => refusedPut.catch((error) => error)),
      )
      expect(errors.length).toBeGreaterThan(0)
      for (const error of errors) expect(error).toMatchObject({ code: 'SPOOL_FULL', retryable: true })

      service.isDown = false
      await Promise.all(puts.slice(0, put))
      await producer.put({ partitionKey: 'a', data: '12' })
      expect(await numbersIn(service.local)).toHaveLength(put + 1)
    },
  )

  it('slows putAll down', async () => {
    const { local } = await aService()
    const spool = { directory: aSpoolDirectory(), maxBytes: 8_192, segmentBytes: 4_096 }
    const producer = aProducer(local, { spool })
    expect(await producer.putAll(numbered(0, 50, 1_000))).toMatchObject({ delivered: 50, failed: 0 })
  })
})

describe('a directory', () => {
  it('is refused to a second process', async () => {
    const { local } = await aService()
    const directory = aSpoolDirectory()
    const other = startSpooledProducer({
      streamName: 'orders',
      endpoint: local.url,
      spool: { directory },
      first: 0,
      records: 1_000_000,
      keys: 1,
    })
    await other.hasPut(1)

    const failures: ProducerError[] = []
    const producer = aProducer(local, {
      spool: { directory },
      hooks: { onSpoolFailed: ({ error }) => failures.push(error) },
    })
    const put = producer.put({ partitionKey: 'a', data: '1' })
    await expect(put).rejects.toThrow(SpoolError)
    await expect(put).rejects.toMatchObject({ code: 'SPOOL_IN_USE' })
    await expect(producer.ready()).rejects.toMatchObject({ code: 'SPOOL_IN_USE' })
    await expect(producer.put({ partitionKey: 'a', data: '1' })).rejects.toMatchObject({
      code: 'SPOOL_IN_USE',
    })
    expect(failures).toHaveLength(1)
    expect(await producer.close()).toEqual({ undelivered: [] })

    await other.kill()
    await aProducer(local, { spool: { directory } }).ready()
  })

  it('that vanishes ends the spool: nothing more is taken, what was is delivered', async () => {
    const { local } = await aService()
    const directory = join(aSpoolDirectory(), 'spool')
    const failures: ProducerError[] = []
    const warn = vi.fn()
    const heard = vi.fn()
    subscribe('kinesis-producer:spool-failed', heard)
    const producer = aProducer(local, {
      spool: { directory, fsyncIntervalMs: 10 },
      hooks: { onSpoolFailed: ({ error }) => failures.push(error) },
      log: { warn },
    })
    await producer.ready()
    const put = producer.put({ partitionKey: 'a', data: '1' })
    rmSync(directory, { recursive: true })

    await vi.waitFor(() => expect(failures).toHaveLength(1))
    const refusal = { code: 'SPOOL_FAILED', retryable: false }
    await expect(producer.put({ partitionKey: 'a', data: '2' })).rejects.toMatchObject(refusal)
    await expect(producer.ready()).rejects.toMatchObject(refusal)
    await expect(put).resolves.toMatchObject({ attempts: 1 })
    expect(await producer.close()).toEqual({ undelivered: [] })
    expect(failures).toMatchObject([refusal])
    unsubscribe('kinesis-producer:spool-failed', heard)
    expect(heard.mock.calls.map(([message]) => message)).toEqual([
      { error: failures[0], producer, streamName: 'orders' },
    ])
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('takes no records any more'), {
      streamName: 'orders',
      cause: failures[0],
    })
  })

  it('with damage in it is told of, and everything else is sent', async () => {
    const service = await aService()
    const spool = { directory: aSpoolDirectory() }
    await leave(service, numbered(0, 10, 100), { spool })
    const file = readdirSync(spool.directory).find((name) => !/settled|lock/.test(name))!
    const bytes = readFileSync(join(spool.directory, file))
    bytes[bytes.indexOf('5  ')]! ^= 1
    writeFileSync(join(spool.directory, file), bytes)

    const damage: SpoolDamage[] = []
    const warn = vi.fn()
    const heard = vi.fn()
    subscribe('kinesis-producer:spool-damage', heard)
    const hooks = { onSpoolDamage: (event: SpoolDamage) => damage.push(event) }
    const next = aProducer(service.local, { spool, hooks, log: { warn } })
    await next.close()
    unsubscribe('kinesis-producer:spool-damage', heard)
    expect(heard.mock.calls).toMatchObject([[{ ...damage[0], producer: next }, expect.anything()]])
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining('no records'),
      expect.objectContaining({ segment: file, reason: 'bad-checksum' }),
    )
    expect(damage).toMatchObject([
      { segment: file, reason: 'bad-checksum', keptIn: `${join(spool.directory, file)}.corrupt` },
    ])
    expect(await numbersIn(service.local)).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9])
  })
})

describe('a producer without a spool', () => {
  it('does not load what a spool needs', async () => {
    const script = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      const { KinesisProducer } = await import('@org/kinesis-producer')
      const options = { streamName: 'orders', transport: { close() {} } }
      await new KinesisProducer(options).close()
      const before = loaded.filter((url) => url.includes('/spool-')).length
      await new KinesisProducer({ ...options, spool: { directory: process.argv[1] } }).close()
      console.log(before, loaded.filter((url) => url.includes('/spool-')).length)`
    const args = ['--input-type=module', '-e', script, aSpoolDirectory()]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })
    expect(stdout).toBe('0 1\n')
  })

  it('has none in its stats', async () => {
    const { local } = await aService()
    const producer = new KinesisProducer({ streamName: 'orders', endpoint: local.url, region: local.region })
    expect(producer.stats()).toMatchObject({ recovered: 0, spool: undefined })
    await producer.close()
    await expect(producer.ready()).rejects.toThrow(ProducerClosedError)
  })
})
