export type { MessageAttributes } from './messages/message-attributes.js'
export type { MessageOptions } from './messages/message-sink.js'
export { type SnsSinkOptions, snsSink } from './sns/sns-sink.js'
