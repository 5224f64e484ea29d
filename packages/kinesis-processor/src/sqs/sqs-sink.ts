import type { SQSClient } from '@aws-sdk/client-sqs'
import { refuseUnknownOptions, sqsQuotas } from '@org/kinesis-core'
import { MESSAGE_OPTIONS, type MessageOptions, messageSink } from '../messages/message-sink.js'
import { requireFunction, requireText, whole } from '../option-checks.js'
import type { Sink } from '../sink.js'
import { sqsTarget } from './sqs-request.js'

export interface SqsSinkOptions<T> extends MessageOptions<T> {
  client: SQSClient
  /** Of a standard or a FIFO queue. */
  queueUrl: string
  /** The queue's own limit (`MaximumMessageSize`) of a message with its attributes, in bytes. @default 1_048_576 */
  maxMessageBytes?: number
}

/**
 * Sends each record to a queue, ten in a request, at least once. A FIFO queue gets the records of a partition key in their order, as a group
 * of their own, and drops what comes again within five minutes; a standard queue keeps no order. What no message can hold is rejected alone.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function sqsSink<T>(options: SqsSinkOptions<T>): Sink<T> {
  refuseUnknownOptions(options, [...MESSAGE_OPTIONS, 'client', 'queueUrl', 'maxMessageBytes'])
  const { client, queueUrl } = options
  requireFunction('client', client?.send, 'Pass an SQSClient.')
  requireText('queueUrl', queueUrl, 'Give the URL of the queue.')
  const most = sqsQuotas.maxMessageBytes
  const maxMessageBytes = whole('maxMessageBytes', options.maxMessageBytes ?? most, 1, most)
  return messageSink(options, {
    ...sqsTarget({ client, queueUrl }),
    maxMessageBytes,
  })
}
