export type { MessageAttributes } from './messages/message-attributes.js'
export { type SnsSinkOptions, snsSink } from './sns/sns-sink.js'
