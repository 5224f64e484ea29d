import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, it } from 'vitest'
import type { ProducerChannels } from '../src/index.js'
import { aProducerOnTheWire, numbered } from './observed-service.js'

type ChannelName = keyof ProducerChannels

/** What the channels carry until the end of the scope. */
function listenTo(...names: ChannelName[]) {
  const heard: { name: ChannelName; message: ProducerChannels[ChannelName] }[] = []
  const listeners = names.map((name) => {
    const listener = (message: unknown) =>
      void heard.push({ name, message: message as ProducerChannels[ChannelName] })
    subscribe(name, listener)
    return () => unsubscribe(name, listener)
  })
  return {
    heard,
    [Symbol.dispose]() {
      for (const stop of listeners) stop()
    },
  }
}

it('the channels carry what the hooks are told, with the producer that it is about', async () => {
  await using service = await aProducerOnTheWire({
    maxAttempts: 2,
    faults: (call) => (call <= 2 ? { kind: 'error500' } : undefined),
  })
  const { producer } = service
  using listening = listenTo(
    'kinesis-producer:batch-sent',
    'kinesis-producer:batch-settled',
    'kinesis-producer:record-retried',
    'kinesis-producer:record-failed',
  )

  await producer.put({ partitionKey: 'a', data: 'x' }).catch(() => {})
  await producer.put({ partitionKey: 'b', data: 'y' })

  const origin = { producer, streamName: 'orders' }
  const size = { records: 1, entries: 1, sizeBytes: 2 }
  const said = [
    ['batch-sent', { request: 1, ...size, inFlightRequests: 1 }],
    ['record-retried', { partitionKey: 'a', records: 1, attempts: 1 }],
    ['batch-settled', { request: 1, ...size, retried: 1, fault: { kind: 'transient' } }],
    ['batch-sent', { request: 2 }],
    ['record-failed', { partitionKey: 'a', error: { code: 'ATTEMPTS_EXHAUSTED' } }],
    ['batch-settled', { request: 2, failed: 1 }],
    ['batch-sent', { request: 3 }],
    ['batch-settled', { request: 3, delivered: 1 }],
  ] as const
  expect(listening.heard).toMatchObject(
    said.map(([name, event]) => ({ name: `kinesis-producer:${name}`, message: { ...event, ...origin } })),
  )
})

it('the channels say so where the shards cannot be listed', async () => {
  await using service = await aProducerOnTheWire({ streamName: 'missing' })
  using listening = listenTo('kinesis-producer:pacing-unavailable')

  await Promise.allSettled(numbered(1).map((record) => service.producer.put(record)))
  await service.producer.flush()

  expect(listening.heard).toMatchObject([
    { message: { producer: service.producer, streamName: 'missing', cause: expect.any(Error) } },
  ])
})
