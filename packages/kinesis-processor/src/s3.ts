export { type S3RejectedSinkOptions, s3RejectedSink } from './s3/s3-rejected-sink.js'
export {
  type S3RejectedEntry,
  type S3RejectedSourceOptions,
  s3RejectedSource,
} from './s3/s3-rejected-source.js'
