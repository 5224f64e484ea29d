import { ManualClock } from '@org/kinesis-core/testing'
import { expect, it, vi } from 'vitest'
import { KinesisProducer, type ProducerLog } from '../src/index.js'
import { aProducerOnTheWire, numbered } from './observed-service.js'
import { openShards, ScriptedTransport, throttledEntry } from './scripted-transport.js'

function aLog() {
  const lines: { level: string; message: string; details: Record<string, unknown> }[] = []
  const at = (level: string) => (message: string, details: Record<string, unknown>) =>
    void lines.push({ level, message, details })
  return { lines, log: { warn: at('warn'), info: at('info'), debug: at('debug') } satisfies ProducerLog }
}

it('the log says that the stream throttles, and that records were given up', async () => {
  const { lines, log } = aLog()
  await using service = await aProducerOnTheWire({
    log,
    maxAttempts: 2,
    faults: () => ({ kind: 'throttle' }),
  })

  await Promise.allSettled(numbered(5).map((record) => service.producer.put(record)))
  await service.producer.close()

  const warnings = lines.filter(({ level }) => level === 'warn')
  expect(warnings.slice(0, 2)).toMatchObject([
    { message: expect.stringContaining('throttles'), details: { streamName: 'orders', throttledRecords: 5 } },
    {
      message: expect.stringContaining('given up'),
      details: { codes: { ATTEMPTS_EXHAUSTED: expect.any(Number) } },
    },
  ])
  const sum = (count: string) =>
    warnings.reduce((total, { details }) => total + ((details[count] as number | undefined) ?? 0), 0)
  expect(sum('throttledRecords')).toBe(10)
  expect(sum('failedRecords')).toBe(5)
})

it('the log says that the stream was resharded', async () => {
  const { lines, log } = aLog()
  await using service = await aProducerOnTheWire({ log, lingerMs: 0 })
  const { local, producer } = service
  await producer.put({ partitionKey: 'a', data: 'x' })
  await vi.waitFor(() => expect(producer.stats().shards).toBe(1))

  await local.kinesis.call('SplitShard', {
    StreamName: 'orders',
    ShardToSplit: 'shardId-000000000000',
    NewStartingHashKey: String(2n ** 127n),
  })
  await vi.waitFor(async () => {
    await producer.put({ partitionKey: 'a', data: 'x' })
    expect(producer.stats().shards).toBe(2)
  }, 10_000)

  expect(lines).toContainEqual({
    level: 'info',
    message: 'The stream was resharded.',
    details: {
      streamName: 'orders',
      shards: 2,
      opened: 2,
      closed: 1,
      openedShards: ['shardId-000000000001', 'shardId-000000000002'],
      closedShards: ['shardId-000000000000'],
    },
  })
})

it('the log says that the shards cannot be listed, and that records go one by one', async () => {
  const { lines, log } = aLog()
  await using service = await aProducerOnTheWire({ log, streamName: 'missing', aggregation: true })

  await Promise.allSettled(numbered(1).map((record) => service.producer.put(record)))
  await service.producer.flush()

  const warnings = lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
  expect(warnings).toContainEqual(expect.stringContaining('without pacing'))
  expect(warnings).toContainEqual(expect.stringContaining('one by one'))
})

it('the log tells of what goes on and on every ten seconds, with what it amounted to', async () => {
  const { lines, log } = aLog()
  const transport = new ScriptedTransport({ script: ({ entries }) => entries.map(() => throttledEntry) })
  const clock = new ManualClock()
  const producer = new KinesisProducer({ streamName: 'orders', transport, clock, random: () => 0.5, log })
  for (const record of numbered(4)) producer.enqueue(record)

  await clock.advance(35_000)

  const told = lines.filter(({ message }) => message.includes('throttles'))
  expect(told).toHaveLength(4)
  const records = told.map(({ details }) => details.throttledRecords as number)
  expect(records[0]).toBe(4)
  expect(records[1]).toBeGreaterThan(4)
  const closed = producer.close({ deadlineMs: 0 })
  await clock.advance(0)
  await closed
  const inAll = lines.map(({ details }) => (details.throttledRecords as number | undefined) ?? 0)
  expect(inAll.reduce((sum, count) => sum + count, 0)).toBe(producer.stats().throttled)
  expect(lines.at(-1)).toMatchObject({ details: { failedRecords: 4, codes: { PRODUCER_CLOSED: 4 } } })
})

it('the log never has anything of a record, and may throw', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const said: string[] = []
  const transport = new ScriptedTransport({ script: ({ entries }) => entries.map(() => throttledEntry) })
  transport.shards = openShards(1)
  const clock = new ManualClock()
  const producer = new KinesisProducer({
    streamName: 'orders',
    transport,
    clock,
    ordering: 'per-key',
    onExpired: 'halt-key',
    maxAttempts: 2,
    log: {
      warn(message, details) {
        said.push(message, JSON.stringify(details))
        throw new Error('a bug in a log')
      },
    },
  })

  const puts = ['one', 'two'].map((data) =>
    producer.put({ partitionKey: 'secret-key', data: `secret-${data}` }),
  )
  const settled = Promise.allSettled(puts)
  await clock.advance(20_000)
  await settled

  expect(said.join(' ')).toContain('KEY_HALTED')
  expect(said.join(' ')).not.toContain('secret')
  expect(warned).toHaveBeenCalled()
  warned.mockRestore()
})
