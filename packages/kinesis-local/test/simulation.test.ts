import { gunzipSync } from 'node:zlib'
import { CloudWatchClient, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch'
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  CreateStreamCommand,
  KinesisClient,
  PutRecordsCommand,
  SubscribeToShardCommand,
} from '@aws-sdk/client-kinesis'
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns'
import { sleep } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import {
  createSimulation,
  faultPlan,
  forEachSeed,
  type Simulation,
  type SimulationOptions,
  type TraceEntry,
} from '../src/index.js'

const EVENTS_TABLE = {
  TableName: 'events',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
}

interface StreamEvent {
  Records: { kinesis: { data: string } }[]
}

/** Ten events at a time, and a function that stores them. */
async function aPipeline(
  options: SimulationOptions,
  { durationMs = 60_000, intervalMs = 100, crashRate = 0 } = {},
) {
  const sim = await createSimulation({
    streams: [{ name: 'orders', shards: 2 }],
    tables: [EVENTS_TABLE],
    ...options,
  })
  const dynamodb = new DynamoDBClient(sim.clientConfiguration)
  const kinesis = new KinesisClient(sim.clientConfiguration)
  const crash = sim.random('crashes')
  const order: string[] = []
  const fn = sim.createFunction({
    name: 'store',
    fault: () => (crash() < crashRate ? 'crash-after' : undefined),
    handler: async ({ Records }: StreamEvent) => {
      // A put whose answer was lost is in the stream twice, and a request may name a key only once.
      const ids = [...new Set(Records.map(({ kinesis: { data } }) => Buffer.from(data, 'base64').toString()))]
      for (let at = 0; at < ids.length; at += 25) {
        const items = ids.slice(at, at + 25).map((id) => ({ PutRequest: { Item: { id: { S: id } } } }))
        await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { events: items } }))
      }
      order.push(...ids)
    },
  })
  const mapping = sim.createEventSourceMapping({ streamName: 'orders', function: fn, batchSize: 100 })
  let put = 0
  const produce = async () => {
    for (let atMs = 0; atMs < durationMs; atMs += intervalMs) {
      const events = Array.from({ length: 10 }, (_, n) => ({
        user: `user-${n % 10}`,
        id: `event-${put + n}`,
      }))
      put += 10
      await putAll(kinesis, events)
      await sleep(sim.clock, intervalMs)
    }
  }
  await sim.run(
    produce().then(() => mapping.drain()),
    { limitMs: 2 * durationMs + 600_000 },
  )
  return { sim, put, order }
}

/** Again what failed, until all is in the stream. */
async function putAll(kinesis: KinesisClient, events: { user: string; id: string }[]): Promise<void> {
  let open = events
  while (open.length > 0) {
    const Records = open.map(({ user, id }) => ({ PartitionKey: user, Data: Buffer.from(id) }))
    const sent = open
    const { Records: results = [] } = await kinesis
      .send(new PutRecordsCommand({ StreamName: 'orders', Records }))
      .catch(() => ({ Records: sent.map(() => ({ ErrorCode: 'InternalFailure' })) }))
    open = sent.filter((_, index) => results[index]?.ErrorCode !== undefined)
  }
}

const stored = (sim: Simulation) => sim.dynamodb.items('events').map(({ id }) => id!.S)

describe('a simulation', () => {
  it('takes an hour of traffic through stream, mapping, function and table', async () => {
    const { sim, put } = await aPipeline({}, { durationMs: 3_600_000, intervalMs: 4_000 })

    expect(put).toBe(9_000)
    expect(new Set(stored(sim)).size).toBe(9_000)
    expect(sim.clock.now() - Date.UTC(2026, 0, 1)).toBeGreaterThanOrEqual(3_600_000)
  })

  const faulty = (seed: number): SimulationOptions => ({
    seed,
    latencyMs: { min: 1, max: 40 },
    faults: faultPlan({
      seed,
      rates: {
        partial: 0.1,
        throttle: 0.05,
        error500: 0.03,
        'reset-before': 0.03,
        'reset-after': 0.05,
        'reset-amid': 0.02,
        truncate: 0.02,
        'clock-skew': 0.02,
        stall: 0.05,
      },
    }),
  })

  it('loses nothing among faults and crashes that a retry mends, whatever the seed', async () => {
    await forEachSeed({ count: 5, command: 'pnpm exec vitest run test/simulation.test.ts' }, async (seed) => {
      const { sim, put } = await aPipeline(faulty(seed), { crashRate: 0.1 })

      expect(new Set(stored(sim)).size).toBe(put)
    })
  })

  it('gives the same trace and the same order for the same seed, and another for another', async () => {
    const [first, again, other] = [
      await aPipeline(faulty(1), { crashRate: 0.1 }),
      await aPipeline(faulty(1), { crashRate: 0.1 }),
      await aPipeline(faulty(2), { crashRate: 0.1 }),
    ]

    expect(first.sim.trace().entries).toBeGreaterThan(1_000)
    expect(again.sim.trace()).toEqual(first.sim.trace())
    expect(again.order).toEqual(first.order)
    expect(other.sim.trace().digest).not.toBe(first.sim.trace().digest)
  })

  it('tells of every call and invocation', async () => {
    const entries: TraceEntry[] = []
    await aPipeline({ onTrace: (entry) => entries.push(entry) }, { durationMs: 1_000 })

    expect(entries[0]).toEqual({ atMs: 0, what: 'kinesis.PutRecords', number: 1, outcome: 'ok', count: 10 })
    expect(new Set(entries.map(({ what }) => what))).toEqual(
      new Set(['kinesis.PutRecords', 'dynamodb.BatchWriteItem', 'invoke.store']),
    )
  })

  it('keeps the limits of shards in its own time', async () => {
    const sim = await createSimulation({ streams: [{ name: 'orders' }] })
    const kinesis = new KinesisClient(sim.clientConfiguration)
    const put = async (count: number) => {
      const Records = Array.from({ length: count }, () => ({ PartitionKey: 'a', Data: Buffer.from('x') }))
      return (await kinesis.send(new PutRecordsCommand({ StreamName: 'orders', Records }))).FailedRecordCount
    }

    expect([await put(500), await put(500), await put(10)]).toEqual([0, 0, 10])
    await sim.advance(1_000)
    expect(await put(10)).toBe(0)
  })

  it('does a call once, also one that answers nothing', async () => {
    const sim = await createSimulation()
    const kinesis = new KinesisClient(sim.clientConfiguration)
    await kinesis.send(new CreateStreamCommand({ StreamName: 'made', ShardCount: 1 }))
    expect(sim.kinesis.call('ListStreams', {})).toMatchObject({ StreamNames: ['made'] })
  })

  it('measures latency in its own time alone', async () => {
    const sim = await createSimulation({ streams: [{ name: 'orders' }] })
    const put: number[] = []
    const { metrics } = sim
    const store = metrics.put.bind(metrics)
    metrics.put = (datum) => {
      if (datum.name.endsWith('Latency')) put.push(datum.value)
      store(datum)
    }
    const kinesis = new KinesisClient(sim.clientConfiguration)
    const Records = [{ PartitionKey: 'a', Data: Buffer.from('x') }]
    await kinesis.send(new PutRecordsCommand({ StreamName: 'orders', Records }))

    expect(put).toEqual([0])
  })

  it('says what to do in place of what it has not, in the words of each client', async () => {
    const sim = await createSimulation({ streams: [{ name: 'orders' }] })
    const { StreamARN } = (
      sim.kinesis.call('DescribeStreamSummary', { StreamName: 'orders' }) as {
        StreamDescriptionSummary: { StreamARN: string }
      }
    ).StreamDescriptionSummary
    const { Consumer } = sim.kinesis.call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'c' }) as {
      Consumer: { ConsumerARN: string }
    }
    const { ConsumerARN } = Consumer
    const subscribe = new SubscribeToShardCommand({
      ...{ ConsumerARN, ShardId: 'shardId-000000000000', StartingPosition: { Type: 'LATEST' } },
    })
    const alarm = new PutMetricAlarmCommand({
      ...{ AlarmName: 'a', ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 1, Threshold: 1 },
    })

    await expect(new KinesisClient(sim.clientConfiguration).send(subscribe)).rejects.toThrow(
      /SubscribeToShard.*Use kinesis\.subscribeToShard\(\)/,
    )
    await expect(new CloudWatchClient(sim.clientConfiguration).send(alarm)).rejects.toThrow(
      /PutMetricAlarm.*Alarms are those of startLocal/,
    )
    await expect(
      new SNSClient(sim.clientConfiguration).send(new CreateTopicCommand({ Name: 'topic' })),
    ).rejects.toThrow(/SNS.*Use startLocal/)
  })

  it('lets streams change in its own time', async () => {
    const sim = await createSimulation({ streams: [{ name: 'orders' }], streamTransitionMs: 30_000 })
    const status = () =>
      (
        sim.kinesis.call('DescribeStreamSummary', { StreamName: 'orders' }) as {
          StreamDescriptionSummary: { StreamStatus: string }
        }
      ).StreamDescriptionSummary.StreamStatus

    sim.kinesis.call('UpdateShardCount', {
      StreamName: 'orders',
      TargetShardCount: 2,
      ScalingType: 'UNIFORM_SCALING',
    })
    expect(status()).toBe('UPDATING')
    await sim.advance(30_000)
    expect(status()).toBe('ACTIVE')
  })

  it('ends an invocation at its timeout, of simulated time', async () => {
    const sim = await createSimulation()
    const left: number[] = []
    const fn = sim.createFunction({
      name: 'slow',
      timeoutMs: 60_000,
      handler: async (_event, context) => {
        await sleep(sim.clock, 50_000)
        left.push(context.getRemainingTimeInMillis())
        await sleep(sim.clock, 50_000)
      },
    })

    const result = await sim.run(fn.invoke({}))

    expect(result).toMatchObject({ ok: false, kind: 'timeout', durationMs: 60_000 })
    expect(left).toEqual([10_000])
  })

  it.each([
    ['throw', 'error'],
    ['crash-before', 'crash'],
    ['crash-after', 'crash'],
    ['timeout', 'timeout'],
    ['out-of-memory', 'crash'],
  ] as const)('makes an invocation meet %s', async (fault, kind) => {
    const sim = await createSimulation()
    let ran = 0
    const fn = sim.createFunction({ name: 'fn', fault: () => fault, handler: () => ++ran })

    expect(await sim.run(fn.invoke({}))).toMatchObject({ ok: false, kind })
    expect(ran).toBe(fault === 'throw' || fault === 'crash-before' ? 0 : 1)
  })

  it('lets a handler see JSON, and nothing that is shared', async () => {
    const sim = await createSimulation()
    const event = { at: new Date(0), list: [1] }
    const fn = sim.createFunction({
      name: 'fn',
      handler: (seen: { list: number[] }) => {
        seen.list.push(2)
        return { seen, not: undefined }
      },
    })

    expect(await fn.invoke(event)).toMatchObject({
      ok: true,
      payload: { seen: { at: '1970-01-01T00:00:00.000Z', list: [1, 2] } },
    })
    expect(event.list).toEqual([1])
  })

  it('puts what is wrong with an event, and with the fault that is asked for, into the result', async () => {
    const sim = await createSimulation()
    const fault = ({ event }: { event: unknown }) => {
      if (event === 'fail') throw new RangeError('no such event')
      return undefined
    }
    const fn = sim.createFunction({ name: 'fn', fault, handler: () => 1 })

    expect(await fn.invoke({ count: 1n })).toMatchObject({ errorType: 'InvalidRequestContentException' })
    expect(await fn.invoke('fail')).toMatchObject({ errorType: 'RangeError' })
    expect(await fn.invoke(null)).toMatchObject({ ok: true })
  })

  it('refuses a handler that wants to call back, since nobody would hear its error', async () => {
    const sim = await createSimulation()
    const handler = (_event: unknown, _context: unknown, callback: (error: Error) => void) => {
      sim.clock.schedule(30, () => callback(new Error('the table is gone')))
    }

    expect(() => sim.createFunction({ name: 'fn', handler: handler as () => void })).toThrow(
      /^handler: a function cannot be used\. .*Runtime\.CallbackHandlerDeprecated/,
    )
  })

  it('refuses options of a function that cannot work', async () => {
    const sim = await createSimulation()
    const handler = () => 1

    expect(() => sim.createFunction({ name: 'a b', handler })).toThrow(/^name: "a b"/)
    expect(() => sim.createFunction({ name: 'fn', handler: 'handler' as never })).toThrow(/^handler/)
    expect(() => sim.createFunction({ name: 'fn', handler, timeoutMs: 0 })).toThrow(/^timeoutMs: 0/)
    expect(() => sim.createFunction({ name: 'fn', handler, maxConcurrency: 0 })).toThrow(/^maxConcurrency: 0/)
    expect(() => sim.createFunction({ name: 'fn', handler, fault: 'throw' as never })).toThrow(/^fault/)
    expect(() => sim.createFunction({ name: 'fn', handler, memoryMb: 128 } as never)).toThrow(
      /^memoryMb: 128/,
    )
  })

  it('says that it is stuck, instead of waiting for ever', async () => {
    const sim = await createSimulation()

    await expect(sim.run(new Promise(() => {}))).rejects.toThrow(/nothing is left that could happen/)
    const forEver = async () => {
      for (;;) await sleep(sim.clock, 1_000)
    }
    await expect(sim.run(forEver(), { limitMs: 5_000 })).rejects.toThrow(/5000 ms of simulated time went by/)
  })

  it('delivers to objects in memory, by its own clock, through a transform', async () => {
    const sim = await createSimulation({ streams: [{ name: 'orders', shards: 2 }] })
    const kinesis = new KinesisClient(sim.clientConfiguration)
    const delivery = sim.createDeliveryStream({
      name: 'lake',
      streamName: 'orders',
      bufferIntervalMs: 300_000,
      transform: sim.createFunction({
        name: 'lines',
        handler: ({ records }: { records: { recordId: string; data: string }[] }) => ({
          records: records.map(({ recordId, data }) => ({
            recordId,
            result: 'Ok',
            data: Buffer.from(`${Buffer.from(data, 'base64')}\n`).toString('base64'),
          })),
        }),
      }),
    })
    await putAll(
      kinesis,
      Array.from({ length: 100 }, (_, n) => ({ user: `${n}`, id: `event-${n}` })),
    )

    await sim.advance(290_000)
    expect(sim.objects('lake').size).toBe(0)
    await sim.advance(90_000)

    const [[key, bytes]] = [...sim.objects('lake')] as [[string, Uint8Array]]
    expect(key).toMatch(/^year=2026\/month=01\/day=01\/hour=00\/lake-1-2026-01-01-00-00-0\d-.*\.gz$/)
    expect(gunzipSync(bytes).toString().trim().split('\n').sort()).toEqual(
      Array.from({ length: 100 }, (_, n) => `event-${n}`).sort(),
    )
    expect(() => sim.createDeliveryStream({ name: 'lake', streamName: 'orders' })).toThrow(/^name: "lake"/)
    expect(sim.objects('lake').size).toBe(1)
    await sim.run(delivery.drain())
    expect(delivery.stats()).toMatchObject({ deliveredRecords: 100, unresolvedRecords: 0 })
    expect(() => sim.objects('other')).toThrow(/no delivery stream other/)
  })

  it('holds time while real work runs', async () => {
    const sim = await createSimulation()
    const seen: number[] = []
    const work = async () => {
      await sleep(sim.clock, 10)
      await sim.hold(new Promise((resolve) => setTimeout(resolve, 20)))
      seen.push(sim.clock.now())
    }
    const begin = sim.clock.now()
    const other = sleep(sim.clock, 11).then(() => seen.push(sim.clock.now()))

    await sim.run(Promise.all([work(), other]))

    expect(seen).toEqual([begin + 10, begin + 11])
  })

  it.each([
    [{ seed: 0.5 }, 'seed'],
    [{ startMs: -1 }, 'startMs'],
    [{ port: 1 } as object, 'port'],
    [{ latencyMs: { min: 5, max: 1 } }, 'latencyMs'],
  ])('refuses %j', async (options, field) => {
    await expect(createSimulation(options)).rejects.toThrow(field)
  })
})
