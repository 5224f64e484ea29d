import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  StackContextManager,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { instrumentProducer } from '../src/opentelemetry.js'
import { aProducerOnTheWire, numbered } from './observed-service.js'

function aMeter() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 })
  const provider = new MeterProvider({ readers: [reader] })
  return {
    meter: provider.getMeter('test'),
    /** The points of each metric by its name, as they are now. */
    async collect() {
      await reader.forceFlush()
      const metrics =
        exporter
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
      return Object.fromEntries(
        metrics.map(({ descriptor, dataPoints }) => [
          descriptor.name.replace('kinesis.producer.', ''),
          dataPoints.map(({ attributes, value }) => ({ attributes, value })),
        ]),
      )
    },
  }
}

function aTracer() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return { tracer: provider.getTracer('test'), spans: () => exporter.getFinishedSpans() }
}

describe('instrumentProducer', () => {
  it('observes the metrics of the stream and of its shards', async () => {
    await using service = await aProducerOnTheWire({
      shards: 2,
      faults: (call) => (call === 1 ? { kind: 'error500' } : undefined),
    })
    const { producer } = service
    const { meter, collect } = aMeter()
    const undo = instrumentProducer(producer, { meter, tracer: false })

    await Promise.all(numbered(50).map((record) => producer.put(record)))
    const points = await collect()

    const ofStream = { StreamName: 'orders' }
    expect(points.UserRecordsReceived).toEqual([{ attributes: ofStream, value: 50 }])
    expect(points.UserRecordsPending).toEqual([{ attributes: ofStream, value: 0 }])
    const { shards } = producer.metrics()
    expect(shards.size).toBe(2)
    for (const [ShardId, shard] of shards) {
      const attributes = { ...ofStream, ShardId }
      expect(points.UserRecordsPut).toContainEqual({ attributes, value: shard.UserRecordsPut })
    }
    const sum = (name: string) => points[name]!.reduce((total, { value }) => total + (value as number), 0)
    expect(sum('UserRecordsPut')).toBe(50)
    expect(sum('AllErrors')).toBe(50)
    expect(sum('ErrorsByCode')).toBe(50)
    expect(points.ErrorsByCode![0]!.attributes).toHaveProperty('ErrorCode')
    expect(points.RetriesPerRecord).toContainEqual({ attributes: { ...ofStream, quantile: 0.99 }, value: 1 })
    expect(points.BufferingTime!.length).toBeGreaterThan(0)
    const requests = producer.stats().requests
    expect(points.RequestTime).toMatchObject([{ attributes: ofStream, value: { count: requests } }])
    undo()
  })

  it('shows quantiles of what came since the last collection, and nothing where nothing came', async () => {
    await using service = await aProducerOnTheWire({
      faults: (call) => (call === 1 ? { kind: 'error500' } : undefined),
    })
    const { producer } = service
    const { meter, collect } = aMeter()
    const undo = instrumentProducer(producer, { meter, tracer: false, perShard: false })
    const retries = async () => (await collect()).RetriesPerRecord?.map(({ value }) => value)

    await producer.put({ partitionKey: 'a', data: 'x' })
    expect(await retries()).toEqual([1, 1, 1])
    await producer.put({ partitionKey: 'a', data: 'x' })
    expect(await retries()).toEqual([0, 0, 0])
    undo()
  })

  it('has fewer series without those of the shards', async () => {
    await using service = await aProducerOnTheWire({ shards: 2 })
    const { producer } = service
    const { meter, collect } = aMeter()
    const undo = instrumentProducer(producer, { meter, tracer: false, perShard: false })

    await Promise.all(numbered(50).map((record) => producer.put(record)))

    const { UserRecordsPut } = await collect()
    expect(UserRecordsPut).toEqual([{ attributes: { StreamName: 'orders' }, value: 50 }])
    undo()
  })

  it('makes a span of each request, which is a child of none', async () => {
    await using service = await aProducerOnTheWire({
      lingerMs: 0,
      faults: (call) => (call === 1 ? { kind: 'error500' } : undefined),
    })
    await using another = await aProducerOnTheWire()
    const { producer } = service
    const { tracer, spans } = aTracer()
    const undo = instrumentProducer(producer, { meter: false, tracer })

    const puts = numbered(10).map((record) => producer.put(record))
    context.setGlobalContextManager(new StackContextManager().enable())
    const caller = trace.setSpan(ROOT_CONTEXT, tracer.startSpan('a caller'))
    const flushed = context.with(caller, () => producer.flush())
    context.disable()
    await Promise.all([...puts, flushed])
    await another.producer.put({ partitionKey: 'a', data: 'x' })

    expect(spans()).toMatchObject([
      {
        name: 'PutRecords orders',
        kind: SpanKind.CLIENT,
        status: { code: SpanStatusCode.ERROR },
        attributes: {
          'aws.kinesis.stream_name': 'orders',
          'messaging.destination.name': 'orders',
          'messaging.batch.message_count': 10,
          'error.type': expect.any(String),
          'kinesis.producer.retried': 10,
        },
      },
      {
        status: { code: SpanStatusCode.UNSET },
        attributes: { 'kinesis.producer.delivered': 10, 'kinesis.producer.retried': 0 },
      },
    ])
    expect(spans().map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined, undefined])
    undo()
  })

  it('stops when it is told to, and ends the spans that are open', async () => {
    await using service = await aProducerOnTheWire({ faults: () => ({ kind: 'stall', delayMs: 300 }) })
    const { producer } = service
    const { tracer, spans } = aTracer()
    const { meter, collect } = aMeter()
    const undo = instrumentProducer(producer, { meter, tracer })
    const put = producer.put({ partitionKey: 'a', data: 'x' })
    const flushed = producer.flush() // which sends at once

    undo()

    expect(spans()).toHaveLength(1)
    await Promise.all([put, flushed])
    expect(spans()).toHaveLength(1)
    expect(await collect()).toEqual({})
  })

  it('refuses an option that it does not know', async () => {
    await using service = await aProducerOnTheWire()
    const options = { metre: false }

    expect(() => instrumentProducer(service.producer, options as object)).toThrow(InvalidOptionError)
  })

  it('does no harm without an SDK', async () => {
    await using service = await aProducerOnTheWire()
    const undo = instrumentProducer(service.producer)

    expect(await service.producer.put({ partitionKey: 'a', data: 'x' })).toHaveProperty('sequenceNumber')
    undo()
  })
})
