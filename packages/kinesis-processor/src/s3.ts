export { type S3RejectedSinkOptions, s3RejectedSink } from './s3/s3-rejected-sink.js'
