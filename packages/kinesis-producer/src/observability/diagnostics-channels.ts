import { channel } from 'node:diagnostics_channel'
import type { KinesisProducer } from '../kinesis-producer.js'
import type {
  AggregationUnavailableEvent,
  BatchSentEvent,
  BatchSettledEvent,
  PacingUnavailableEvent,
  RecordFailedEvent,
  RecordRetriedEvent,
  SpoolFailedEvent,
} from '../producer-hooks.js'
import type { SpoolDamage } from '../spool/spool-damage.js'

/** What every message says besides the event of the hook: all producers of a process share the channels. */
export interface ProducerMessage {
  producer: KinesisProducer
  streamName: string
}

/** Messages by the names of their channels. */
export interface ProducerChannels {
  'kinesis-producer:batch-sent': BatchSentEvent & ProducerMessage
  'kinesis-producer:batch-settled': BatchSettledEvent & ProducerMessage
  'kinesis-producer:record-retried': RecordRetriedEvent & ProducerMessage
  'kinesis-producer:record-failed': RecordFailedEvent & ProducerMessage
  'kinesis-producer:pacing-unavailable': PacingUnavailableEvent & ProducerMessage
  'kinesis-producer:aggregation-unavailable': AggregationUnavailableEvent & ProducerMessage
  'kinesis-producer:spool-damage': SpoolDamage & ProducerMessage
  'kinesis-producer:spool-failed': SpoolFailedEvent & ProducerMessage
}

/** One for the process, as `node:diagnostics_channel` has it. Whoever publishes asks for `hasSubscribers` first: then an unused channel is free. */
export const channels = {
  batchSent: channel('kinesis-producer:batch-sent'),
  batchSettled: channel('kinesis-producer:batch-settled'),
  recordRetried: channel('kinesis-producer:record-retried'),
  recordFailed: channel('kinesis-producer:record-failed'),
  pacingUnavailable: channel('kinesis-producer:pacing-unavailable'),
  aggregationUnavailable: channel('kinesis-producer:aggregation-unavailable'),
  spoolDamage: channel('kinesis-producer:spool-damage'),
  spoolFailed: channel('kinesis-producer:spool-failed'),
}
