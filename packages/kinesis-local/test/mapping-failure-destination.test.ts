import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { FailureDocument } from '@org/kinesis-core/event-source-mapping'
import { afterEach, describe, expect, it } from 'vitest'
import type { EventSourceMappingOptions } from '../src/event-source-mapping/mapping-options.js'
import { type Local, startLocal } from '../src/start-local.js'
import { aFolder } from './stream-fixture.js'
import { connection } from './support/clients.js'

const handlers = fileURLToPath(new URL('./mapping-handlers.mjs', import.meta.url))
const cleanup: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** The services, and a mapping whose function fails on every batch with a record `bad`. */
async function aFailingMapping(
  options: (local: Local) => Partial<EventSourceMappingOptions>,
  data = ['bad', 'b'],
) {
  const local = await startLocal({ streams: [{ name: 'orders' }], queues: ['failed'], topics: ['alarms'] })
  cleanup.push(() => local.close())
  for (const one of data) {
    local.kinesis.call('PutRecord', { StreamName: 'orders', PartitionKey: 'key', Data: Buffer.from(one) })
  }
  const processor = local.createFunction({
    name: 'processor',
    file: handlers,
    exportName: 'failOnBad',
    environment: { SEEN_FILE: join(await aFolder(cleanup), 'seen') },
  })
  const mapping = local.createEventSourceMapping({
    streamName: 'orders',
    function: processor,
    pollIntervalMs: 20,
    retryBackoff: { baseMs: 1, maxMs: 5 },
    maximumRetryAttempts: 1,
    ...options(local),
  })
  return { local, mapping, processor }
}

function sums(local: Local, dimensions: Record<string, string>, names: string[]) {
  return Object.fromEntries(
    names.map((name) => {
      const series = local.metrics.series('AWS/Lambda', name, dimensions)
      return [name, [...(series?.seconds.values() ?? [])].reduce((total, { sum }) => total + sum, 0)]
    }),
  )
}

describe('a failure destination', () => {
  it.each([
    ['name', () => 'failed'],
    ['URL', (local: Local) => local.queueUrl('failed')],
    ['ARN', () => 'arn:aws:sqs:us-east-1:000000000000:failed'],
  ])('that is a queue, by its %s, gets the documented positions, and no records', async (_how, queueOf) => {
    const { local, mapping, processor } = await aFailingMapping((local) => ({
      onFailure: { queue: queueOf(local) },
    }))

    await mapping.drain()

    const sqs = new SQSClient(connection(local))
    cleanup.push(async () => sqs.destroy())
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: local.queueUrl('failed') }),
    )
    const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const position = expect.stringMatching(/^\d{56}$/)
    expect(Messages.map(({ Body }) => JSON.parse(Body!))).toEqual([
      {
        requestContext: {
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          functionArn: processor.arn,
          condition: 'RetryAttemptsExhausted',
          approximateInvokeCount: 2,
        },
        responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        version: '1.0',
        timestamp: instant,
        KinesisBatchInfo: {
          shardId: 'shardId-000000000000',
          startSequenceNumber: position,
          endSequenceNumber: position,
          approximateArrivalOfFirstRecord: instant,
          approximateArrivalOfLastRecord: instant,
          batchSize: 2,
          streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
        },
      },
    ])
    expect(mapping.stats()).toMatchObject({ recordsDiscarded: 2, batchesDiscarded: 1, failedDeliveries: 0 })
  })

  it.each([
    ['name', () => 'alarms'],
    ['ARN', (local: Local) => local.topicArn('alarms')],
  ])('that is a topic, by its %s, tells its subscribers the positions', async (_how, topicOf) => {
    const { local, mapping } = await aFailingMapping((local) => ({ onFailure: { topic: topicOf(local) } }))
    await local.sns.call('Subscribe', {
      TopicArn: local.topicArn('alarms'),
      Protocol: 'sqs',
      Endpoint: 'arn:aws:sqs:us-east-1:000000000000:failed',
      Attributes: { RawMessageDelivery: 'true' },
    })

    await mapping.drain()

    const [message] = local.queueMessages('failed').map(({ body }) => JSON.parse(body) as FailureDocument)
    expect(message).toMatchObject({ KinesisBatchInfo: { batchSize: 2 } })
    expect(message).not.toHaveProperty('payload')
  })

  it('that takes nothing holds its shard up until it does, and is heard of', async () => {
    const { local, mapping } = await aFailingMapping(() => ({
      onFailure: { queue: 'not-yet' },
      batchSize: 1,
    }))
    await expect.poll(() => mapping.stats().failedDeliveries).toBeGreaterThan(1)
    expect(mapping.stats()).toMatchObject({
      recordsDiscarded: 0,
      unresolvedRecords: 2,
      lastError: expect.stringContaining('queue does not exist'),
    })

    await local.sqs.call('CreateQueue', { QueueName: 'not-yet' })
    await mapping.drain()

    expect(mapping.stats()).toMatchObject({ recordsDiscarded: 1, recordsResolved: 1 })
    expect(local.queueMessages('not-yet')).toHaveLength(1)
    const names = ['DestinationDeliveryFailures']
    expect(sums(local, { FunctionName: 'processor' }, names).DestinationDeliveryFailures).toBe(
      mapping.stats().failedDeliveries,
    )
  })

  it('that takes nothing loses the batch where failedDelivery says drop', async () => {
    const { local, mapping } = await aFailingMapping(() => ({
      onFailure: { topic: 'not-there' },
      failedDelivery: 'drop',
      batchSize: 1,
      metrics: ['EventCount'],
    }))

    await mapping.drain()

    expect(mapping.stats()).toMatchObject({ failedDeliveries: 1, recordsDiscarded: 1, recordsResolved: 1 })
    expect(sums(local, { EventSourceMappingUUID: mapping.id }, ['DroppedEventCount'])).toEqual({
      DroppedEventCount: 1,
    })
  })

  it.each([
    [{ folder: 'relative' }, 'onFailure.folder'],
    [{ queue: 'no name' }, 'onFailure.queue'],
    [{ queue: 'arn:aws:sns:us-east-1:000000000000:failed' }, 'onFailure.queue'],
    [{ topic: 'https://example.com/topic' }, 'onFailure.topic'],
    [{ topic: 7 as unknown as string }, 'onFailure.topic'],
    [{ folder: '/tmp', queue: 'failed' }, 'onFailure'],
    [{ bucket: 'b' } as unknown as { queue: string }, 'onFailure'],
  ])('that cannot be is refused: %j', async (onFailure, option) => {
    await expect(aFailingMapping(() => ({ onFailure }))).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      option,
    })
  })
})

describe('the metrics of a mapping', () => {
  const names = [
    'PolledEventCount',
    'FilteredOutEventCount',
    'InvokedEventCount',
    'FailedInvokeEventCount',
    'DroppedEventCount',
    'OnFailureDestinationDeliveredEventCount',
  ]
  const filtered = { filters: [{ data: { wanted: [{ exists: true }] } }], batchSize: 1 }
  const data = ['{"wanted":1}', 'no JSON', '{"wanted":2}']

  it('count events where EventCount is asked for', async () => {
    const { local, mapping } = await aFailingMapping(() => ({ ...filtered, metrics: ['EventCount'] }), data)
    await mapping.drain()

    expect(sums(local, { EventSourceMappingUUID: mapping.id }, names)).toEqual({
      PolledEventCount: 3,
      FilteredOutEventCount: 1,
      InvokedEventCount: 2,
      FailedInvokeEventCount: 0,
      DroppedEventCount: 0,
      OnFailureDestinationDeliveredEventCount: 0,
    })
  })

  it('tell events that were dropped from those in the failure destination', async () => {
    const dropped = await aFailingMapping(() => ({ metrics: ['EventCount'] }))
    const kept = await aFailingMapping(() => ({ metrics: ['EventCount'], onFailure: { queue: 'failed' } }))
    await Promise.all([dropped.mapping.drain(), kept.mapping.drain()])

    const both = { PolledEventCount: 2, InvokedEventCount: 4, FailedInvokeEventCount: 4 }
    expect(sums(dropped.local, { EventSourceMappingUUID: dropped.mapping.id }, names)).toMatchObject({
      ...both,
      DroppedEventCount: 2,
      OnFailureDestinationDeliveredEventCount: 0,
    })
    expect(sums(kept.local, { EventSourceMappingUUID: kept.mapping.id }, names)).toMatchObject({
      ...both,
      DroppedEventCount: 0,
      OnFailureDestinationDeliveredEventCount: 2,
    })
  })

  it('are not published otherwise, but for the iterator age', async () => {
    const { local, mapping } = await aFailingMapping(() => ({}), ['a'])
    await mapping.drain()

    expect(sums(local, { EventSourceMappingUUID: mapping.id }, names).PolledEventCount).toBe(0)
    expect(local.metrics.series('AWS/Lambda', 'IteratorAge', { FunctionName: 'processor' })).toBeDefined()
    expect(() =>
      local.createEventSourceMapping({
        streamName: 'orders',
        function: local.createFunction({ name: 'other', file: handlers }),
        metrics: ['ErrorCount' as 'EventCount'],
      }),
    ).toThrow(/^metrics: "ErrorCount"/)
  })
})
