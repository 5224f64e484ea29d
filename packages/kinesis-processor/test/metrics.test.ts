import { Metrics } from '@aws-lambda-powertools/metrics'
import { PROCESSING_NAMESPACE, processingMetrics } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext } from '@org/kinesis-core/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { PermanentError } from '../src/errors.js'
import { MemoryRejectedSink, MemorySink } from '../src/handler-fixture.js'
import { json, kinesisHandler } from '../src/index.js'

interface EmfLine {
  _aws: {
    CloudWatchMetrics: {
      Namespace: string
      Dimensions: string[][]
      Metrics: { Name: string; Unit: string }[]
    }[]
  }
  [name: string]: unknown
}

const schema = z.object({ type: z.string(), n: z.number() })
type Event = z.infer<typeof schema>

describe("metrics through Powertools' own Metrics", () => {
  let lines: string[]
  beforeEach(() => {
    lines = []
    // Powertools writes to a console of its own, unless it is told that it runs on a developer's machine, where it would write nothing.
    vi.stubEnv('POWERTOOLS_DEV', 'true')
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false')
    vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(line))
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })
  const emitted = () => lines.map((line) => JSON.parse(line) as EmfLine)

  const run = async (
    events: unknown[],
    options: { eventType?: (event: Event) => string | undefined } = {},
  ) => {
    const handler = kinesisHandler<Event>({
      decode: json(schema),
      sink: new MemorySink<Event>(({ value }) => {
        if (value.n === 13) return new Error('busy')
        return value.n === 99 ? new PermanentError('too large') : undefined
      }),
      rejected: new MemoryRejectedSink(),
      metrics: new Metrics({ namespace: PROCESSING_NAMESPACE, serviceName: 'orders' }),
      eventType: ({ type }) => type,
      backoffBaseMs: 0,
      onUnresolved: () => {},
      ...options,
    })
    const arrivalMs = Date.now() - 5_000
    await handler(
      kinesisEvent(events.map((data, n) => ({ data, partitionKey: `key-${n}`, arrivalMs: arrivalMs + n }))),
      lambdaContext(),
    )
  }

  it('are one line for the batch, with names, units and dimensions of the catalogue', async () => {
    await run([{ type: 'CLICK', n: 1 }, { type: 'CLICK', n: 13 }, 'no json', { type: 'VIEW', n: 99 }], {
      eventType: () => undefined,
    })

    expect(emitted()).toHaveLength(1)
    const [line] = emitted()
    const [directive] = line!._aws.CloudWatchMetrics
    const { recordsProcessed: _, ...perBatch } = processingMetrics
    expect(directive!.Namespace).toBe('KinesisProcessing')
    expect(directive!.Dimensions).toEqual([['service']])
    expect(directive!.Metrics.map(({ Name, Unit }) => [Name, Unit])).toEqual(
      Object.values(perBatch).map(({ name, unit }) => [name, unit]),
    )
    expect(line).toMatchObject({
      service: 'orders',
      RecordsReceived: 4,
      RecordsStored: 1,
      RecordsRejected: 2,
      RecordsUnresolved: 1,
    })
    expect(line!.IteratorAge).toBeGreaterThanOrEqual(5_000)
    expect(line!.IteratorAge).toBeLessThan(15_000)
    expect(line!.BatchDuration).toBeLessThan(5_000)
  })

  it('are one line more for each event type that was stored', async () => {
    await run([
      { type: 'CLICK', n: 1 },
      { type: 'CLICK', n: 2 },
      { type: 'CLICK', n: 13 },
      { type: 'VIEW', n: 3 },
    ])

    const perType = emitted().slice(1)
    expect(
      perType.map(({ EventType, RecordsProcessed, service }) => [EventType, RecordsProcessed, service]),
    ).toEqual([
      ['CLICK', 2, 'orders'],
      ['VIEW', 1, 'orders'],
    ])
    for (const { _aws } of perType) {
      expect(_aws.CloudWatchMetrics[0]!.Dimensions.map((set) => [...set].sort())).toEqual([
        [...processingMetrics.recordsProcessed.dimensions].sort(),
      ])
    }
  })

  it('leave out a record whose event type cannot be told, and store it all the same', async () => {
    await run([{ type: 'CLICK', n: 1 }], {
      eventType: () => {
        throw new Error('a bug in the metric')
      },
    })

    expect(emitted()).toMatchObject([{ RecordsStored: 1 }])
  })

  it('are flushed for an empty batch as well, without an age', async () => {
    await run([])

    expect(emitted()).toMatchObject([{ RecordsReceived: 0, RecordsStored: 0 }])
    expect(emitted()[0]).not.toHaveProperty('IteratorAge')
  })

  it('cost no batch its answer when they cannot be published', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const broken = {
      addMetric: () => {
        throw new Error('too many metrics')
      },
      singleMetric: () => broken as never,
      publishStoredMetrics: () => {},
    }
    const handler = kinesisHandler<Event>({
      decode: json(schema),
      sink: new MemorySink<Event>(),
      rejected: new MemoryRejectedSink(),
      metrics: broken,
    })

    const response = await handler(kinesisEvent([{ data: { type: 'CLICK', n: 1 } }]), lambdaContext())

    expect(response).toEqual({ batchItemFailures: [] })
    expect(warn).toHaveBeenCalledOnce()
  })
})
