import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListStreamsCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { seededRandom } from '@org/kinesis-core'
import { afterEach, describe, expect, it } from 'vitest'
import type { FaultAction } from '../src/faults/fault-action.js'
import { type Local, startLocal } from '../src/start-local.js'
import type { RequestObservation } from '../src/wire/request-observer.js'
import { connection, kinesisClient, protocols } from './support/clients.js'

const cleanup: (() => Promise<unknown> | unknown)[] = []

afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** The first PutRecords meets `fault`; nothing else does. */
async function aFaultyService(
  fault: FaultAction,
  more: Parameters<typeof startLocal>[0] = {},
): Promise<Local> {
  let met = false
  const local = await startLocal({
    streams: [{ name: 'orders' }],
    faults: ({ operation }) => {
      if (met || operation !== 'PutRecords') return undefined
      met = true
      return fault
    },
    ...more,
  })
  cleanup.push(() => local.close())
  return local
}

function aClient(local: Local, config: () => object): KinesisClient {
  const client = kinesisClient(local, config())
  cleanup.push(() => client.destroy())
  return client
}

const put = (client: KinesisClient, count = 1, abortSignal?: AbortSignal) =>
  client.send(
    new PutRecordsCommand({
      StreamName: 'orders',
      Records: Array.from({ length: count }, (_, index) => ({
        PartitionKey: `${index}`,
        Data: Buffer.from(`${index}`),
      })),
    }),
    abortSignal === undefined ? {} : { abortSignal },
  )

async function stored(client: KinesisClient, ShardId = 'shardId-000000000000'): Promise<string[]> {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({
      StreamName: 'orders',
      ShardId,
      ShardIteratorType: 'TRIM_HORIZON',
    }),
  )
  const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }))
  return Records.map(({ Data }) => Buffer.from(Data!).toString())
}

describe.each(protocols)('a fault over %s', (_name, config) => {
  it.each([
    [{ kind: 'throttle' as const }, 'ProvisionedThroughputExceededException'],
    [{ kind: 'error500' as const }, 'InternalFailure'],
    [{ kind: 'expired-credentials' as const }, 'ExpiredTokenException'],
  ])('fails the call with the error of the service: %o', async (fault, name) => {
    const client = aClient(await aFaultyService(fault), config)

    await expect(put(client)).rejects.toMatchObject({ name })
    expect(await stored(client)).toEqual([])
    await put(client)
    expect(await stored(client)).toEqual(['0'])
  })

  it.each([
    [{ kind: 'reset-before' as const }, []],
    [{ kind: 'reset-after' as const }, ['0']],
    [{ kind: 'reset-amid' as const }, ['0']],
  ])('cuts the connection: %o', async (fault, expected) => {
    const client = aClient(await aFaultyService(fault), config)

    await expect(put(client)).rejects.toThrow()
    expect(await stored(client)).toEqual(expected)
  })

  it('gives half of an answer, whose length says that it is all', async () => {
    const client = aClient(await aFaultyService({ kind: 'truncate' }), config)

    await expect(put(client)).rejects.toThrow(SyntaxError)
    expect(await stored(client)).toEqual(['0'])
  })

  it.each([-3_600_000, 3_600_000])(
    'refuses a signature by a clock that is %d ms away, and its date lets the SDK mend its own',
    async (skewMs) => {
      const local = await startLocal({
        streams: [{ name: 'orders' }],
        faults: () => ({ kind: 'clock-skew', skewMs }),
      })
      cleanup.push(() => local.close())
      const impatient = aClient(local, config)
      const client = aClient(local, () => ({ ...config(), maxAttempts: 2 }))

      await expect(put(impatient)).rejects.toMatchObject({
        name: 'InvalidSignatureException',
        message: expect.stringMatching(/^Signature (expired|not yet current): \d{8}T\d{6}Z is /),
      })
      await put(impatient)
      await put(client)
    },
  )

  it.each([1, -1] as const)('answers with %d entry more than was asked for', async (change) => {
    const client = aClient(await aFaultyService({ kind: 'wrong-entry-count', change }), config)

    const { Records = [] } = await put(client, 5)

    expect(Records).toHaveLength(5 + change)
    expect(new Set(Records.map(({ SequenceNumber }) => SequenceNumber)).size).toBe(change === 1 ? 5 : 4)
    expect(await stored(client)).toHaveLength(5)
  })

  it('throttles the entries of some shards alone', async () => {
    const shardIds = ['shardId-000000000001']
    const local = await aFaultyService(
      { kind: 'throttle', shardIds },
      { streams: [{ name: 'orders', shards: 2 }] },
    )
    const client = aClient(local, config)

    const { Records = [], FailedRecordCount } = await put(client, 20)
    const throttled = Records.filter(({ ErrorCode }) => ErrorCode !== undefined)

    expect(throttled.length).toBeGreaterThan(0)
    expect(FailedRecordCount).toBe(throttled.length)
    expect(throttled[0]).toEqual({
      ErrorCode: 'ProvisionedThroughputExceededException',
      ErrorMessage: 'Rate exceeded for shard shardId-000000000001 (injected).',
    })
    expect(await stored(client)).toHaveLength(20 - throttled.length)
  })

  it('throttles a read of one of some shards, and lets those of others through', async () => {
    const local = await startLocal({
      streams: [{ name: 'orders', shards: 2 }],
      faults: ({ operation }) =>
        operation === 'GetRecords' ? { kind: 'throttle', shardIds: ['shardId-000000000001'] } : undefined,
    })
    cleanup.push(() => local.close())
    const client = aClient(local, config)

    expect(await stored(client)).toEqual([])
    await expect(stored(client, 'shardId-000000000001')).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
    })
  })

  it('lets a call arrive late, though nobody waits for it any more', async () => {
    const client = aClient(await aFaultyService({ kind: 'late', delayMs: 500 }), config)

    await expect(put(client, 1, AbortSignal.timeout(100))).rejects.toThrow()
    await put(client, 2)

    expect(await stored(client)).toEqual(['0', '1'])
    await expect.poll(() => stored(client)).toEqual(['0', '1', '0'])
  })

  it('is asked with the shards of the call', async () => {
    const seen: string[] = []
    const local = await startLocal({
      streams: [{ name: 'orders', shards: 2 }],
      faults: ({ operation, shardIds }) => void seen.push(`${operation} ${shardIds().join(' ')}`.trim()),
    })
    cleanup.push(() => local.close())
    const client = aClient(local, config)

    await put(client, 1)
    await put(client, 20)
    await stored(client)
    await client.send(new ListStreamsCommand({}))
    await client.send(new PutRecordsCommand({ StreamName: 'nowhere', Records: [] })).catch(() => {})

    const [one, many, ...others] = seen
    expect(one).toMatch(/^PutRecords shardId-00000000000[01]$/)
    expect(many!.split(' ').sort()).toEqual(['PutRecords', 'shardId-000000000000', 'shardId-000000000001'])
    expect(others).toEqual([
      'GetShardIterator shardId-000000000000',
      'GetRecords shardId-000000000000',
      'ListStreams',
      'PutRecords',
    ])
  })

  it('lets an answer wait', async () => {
    const client = aClient(await aFaultyService({ kind: 'stall', delayMs: 300 }), config)
    const startedAt = performance.now()

    await put(client)

    expect(performance.now() - startedAt).toBeGreaterThan(290)
    expect(await stored(client)).toEqual(['0'])
  })
})

describe('a partial failure', () => {
  it('fails a share of the entries, the same ones for the same seed, and stores the others', async () => {
    const failedOf = async () => {
      const fault = { kind: 'partial' as const, fraction: 0.3 }
      const client = aClient(await aFaultyService(fault, { random: seededRandom(7) }), () => ({}))
      const { Records = [], FailedRecordCount } = await put(client, 100)
      const failed = Records.flatMap(({ ErrorCode }, index) => (ErrorCode === undefined ? [] : [`${index}`]))
      expect(FailedRecordCount).toBe(failed.length)
      expect(Records.find(({ ErrorCode }) => ErrorCode)?.ErrorCode).toBe('InternalFailure')
      const kept = await stored(client)
      expect(kept).toHaveLength(100 - failed.length)
      expect(kept.filter((index) => failed.includes(index))).toEqual([])
      return failed
    }

    const first = await failedOf()

    expect(first.length).toBeGreaterThan(15)
    expect(first.length).toBeLessThan(45)
    expect(await failedOf()).toEqual(first)
  })

  it('may fail them all', async () => {
    const client = aClient(await aFaultyService({ kind: 'partial', fraction: 1 }), () => ({}))

    expect((await put(client, 3)).FailedRecordCount).toBe(3)
    expect(await stored(client)).toEqual([])
  })
})

describe('a fault plan', () => {
  it('is asked for every call, numbered per service, and speaks the errors of each', async () => {
    const asked: string[] = []
    const local = await startLocal({
      faults: ({ service, operation, number }) => {
        asked.push(`${service} ${operation} ${number}`)
        return number === 2 ? { kind: 'throttle' } : undefined
      },
    })
    cleanup.push(() => local.close())
    const kinesis = aClient(local, () => ({}))
    const dynamo = new DynamoDBClient(connection(local))
    const sqs = new SQSClient(connection(local))
    cleanup.push(
      () => dynamo.destroy(),
      () => sqs.destroy(),
    )
    const call = async () => {
      const outcomes = await Promise.allSettled([
        kinesis.send(new ListStreamsCommand({})),
        dynamo.send(new ListTablesCommand({})),
        sqs.send(new ListQueuesCommand({})),
      ])
      return outcomes.map((outcome) =>
        outcome.status === 'fulfilled' ? 'ok' : (outcome.reason as Error).name,
      )
    }

    expect(await call()).toEqual(['ok', 'ok', 'ok'])
    expect(await call()).toEqual([
      'ProvisionedThroughputExceededException',
      'ProvisionedThroughputExceededException',
      'RequestThrottled',
    ])
    expect(asked.sort()).toEqual([
      'dynamodb ListTables 1',
      'dynamodb ListTables 2',
      'kinesis ListStreams 1',
      'kinesis ListStreams 2',
      'sqs ListQueues 1',
      'sqs ListQueues 2',
    ])
  })
})

describe('an observer of requests', () => {
  it('is told of every call over the wire, also of those that were cut', async () => {
    const seen: RequestObservation[] = []
    const local = await aFaultyService(
      { kind: 'reset-after' },
      { onRequest: (request) => seen.push(request) },
    )
    const client = aClient(local, () => ({}))

    await put(client).catch(() => {})
    await put(client)

    expect(
      seen.map(({ service, operation, number, statusCode, fault }) => [
        service,
        operation,
        number,
        statusCode,
        fault,
      ]),
    ).toEqual([
      ['kinesis', 'PutRecords', 1, 0, { kind: 'reset-after' }],
      ['kinesis', 'PutRecords', 2, 200, undefined],
    ])
    expect(seen[0]!.responseBody).toBeUndefined()
    expect(JSON.parse(seen[1]!.requestBody.toString())).toMatchObject({ StreamName: 'orders' })
    expect(JSON.parse(seen[1]!.responseBody!.toString())).toMatchObject({ FailedRecordCount: 0 })
    expect(Math.abs(seen[1]!.finishedAtMs - Date.now())).toBeLessThan(5_000)
  })
})
