export { kinesisSink } from './kinesis/kinesis-sink.js'
export type { KinesisSinkOptions, OutgoingRecord, RecordProducer } from './kinesis/kinesis-sink-options.js'
