import { type Meter, metrics, type Tracer, trace } from '@opentelemetry/api'
import { refuseUnknownOptions } from '@org/kinesis-core'
import type { KinesisProducer } from './kinesis-producer.js'
import { observeMetrics } from './opentelemetry/observed-metrics.js'
import { traceRequests } from './opentelemetry/request-spans.js'

export interface InstrumentProducerOptions {
  /** Takes the metrics; false for none. @default that of the global meter provider */
  meter?: Meter | false
  /** Takes a span for each PutRecords request; false for none. @default that of the global tracer provider */
  tracer?: Tracer | false
  /** Metrics of each shard, with the attribute `ShardId`; false leaves those of the stream, fewer series. @default true */
  perShard?: boolean
}

const SCOPE = '@org/kinesis-producer'

/**
 * Hands a producer's metrics and requests to OpenTelemetry, until what it returns is called. Call it after the SDK has been started; the
 * producer goes on alone when it is undone, and need not be closed first.
 */
export function instrumentProducer(
  producer: KinesisProducer,
  options: InstrumentProducerOptions = {},
): () => void {
  refuseUnknownOptions(options, ['meter', 'tracer', 'perShard'])
  const { meter = metrics.getMeter(SCOPE), tracer = trace.getTracer(SCOPE), perShard = true } = options
  const undo = [
    meter === false ? () => {} : observeMetrics(producer, meter, perShard),
    tracer === false ? () => {} : traceRequests(producer, tracer),
  ]
  return () => {
    for (const stop of undo) stop()
  }
}
