export type { MessageAttributes } from './messages/message-attributes.js'
export type { MessageOptions } from './messages/message-sink.js'
export { type SqsRejectedSinkOptions, sqsRejectedSink } from './sqs/sqs-rejected-sink.js'
export {
  type SqsRejectedEntry,
  type SqsRejectedSourceOptions,
  sqsRejectedSource,
} from './sqs/sqs-rejected-source.js'
export { type SqsSinkOptions, sqsSink } from './sqs/sqs-sink.js'
