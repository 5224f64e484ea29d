export { sqsRejectedSink } from './sqs/sqs-rejected-sink.js'
