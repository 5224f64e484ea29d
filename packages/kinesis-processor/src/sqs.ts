export { type SqsRejectedSinkOptions, sqsRejectedSink } from './sqs/sqs-rejected-sink.js'
