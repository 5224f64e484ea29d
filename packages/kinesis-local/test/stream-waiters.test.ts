import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  PutRecordCommand,
  waitUntilStreamExists,
  waitUntilStreamNotExists,
} from '@aws-sdk/client-kinesis'
import { ManualClock } from '@org/kinesis-core/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { kinesisClient } from './support/clients.js'

const clock = new ManualClock()
let local: Local

beforeAll(async () => {
  local = await startLocal({ streams: [{ name: 'orders' }], streamTransitionMs: 1_000, clock })
})
afterAll(() => local.close())

const StreamName = 'clicks'

it('the waiters of the SDK wait for a stream to be made, and to be gone', async () => {
  const client = kinesisClient(local)
  const waiter = { client, minDelay: 0.05, maxDelay: 0.1, maxWaitTime: 20 }
  const put = () =>
    client.send(new PutRecordCommand({ StreamName, PartitionKey: 'k', Data: Buffer.from('x') }))
  try {
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }))
    await expect(put()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    const made = waitUntilStreamExists(waiter, { StreamName })
    await clock.advance(1_000)
    await made
    await put()

    await client.send(new DeleteStreamCommand({ StreamName }))
    const gone = waitUntilStreamNotExists(waiter, { StreamName })
    await put()
    await clock.advance(1_000)
    await gone
    await expect(put()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  } finally {
    client.destroy()
  }
})

it('a stream that startLocal was asked for is ACTIVE at once', async () => {
  const client = kinesisClient(local)
  const { StreamDescriptionSummary } = await client.send(
    new DescribeStreamSummaryCommand({ StreamName: 'orders' }),
  )
  client.destroy()

  expect(StreamDescriptionSummary?.StreamStatus).toBe('ACTIVE')
})
