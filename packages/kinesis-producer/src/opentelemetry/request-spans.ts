import { type Attributes, type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import type { KinesisProducer } from '../kinesis-producer.js'
import { listen } from './listen.js'

/** A span for each PutRecords request of a producer, from sending it to the end of its answer. Returns the way to stop. */
export function traceRequests(producer: KinesisProducer, tracer: Tracer): () => void {
  const spans = new Map<number, Span>()
  const stops = [
    listen('kinesis-producer:batch-sent', producer, (event) => {
      const attributes: Attributes = {
        'messaging.system': 'aws_kinesis',
        'messaging.operation.name': 'PutRecords',
        'messaging.operation.type': 'send',
        'messaging.destination.name': event.streamName,
        'messaging.batch.message_count': event.records,
        'aws.kinesis.stream_name': event.streamName,
        'kinesis.producer.kinesis_records': event.entries,
        'kinesis.producer.size_bytes': event.sizeBytes,
      }
      // A request carries records of many puts: the context in which it happens to leave is that of any of them, or of a timer.
      const span = tracer.startSpan(`PutRecords ${event.streamName}`, {
        kind: SpanKind.CLIENT,
        root: true,
        attributes,
      })
      spans.set(event.request, span)
    }),
    listen('kinesis-producer:batch-settled', producer, (event) => {
      const span = spans.get(event.request)
      if (span === undefined) return
      spans.delete(event.request)
      const { delivered, retried, failed, throttled, unverified, fault } = event
      span.setAttributes({
        'kinesis.producer.delivered': delivered,
        'kinesis.producer.retried': retried,
        'kinesis.producer.failed': failed,
        'kinesis.producer.throttled': throttled,
        'kinesis.producer.unverified': unverified,
      })
      if (fault !== undefined) {
        span.setAttribute('error.type', fault.reason)
        // Without its message: where the service finds a record invalid, that quotes the record.
        span.setStatus({ code: SpanStatusCode.ERROR, message: fault.reason })
      }
      span.end()
    }),
  ]
  return () => {
    for (const stop of stops) stop()
    for (const span of spans.values()) span.end()
    spans.clear()
  }
}
