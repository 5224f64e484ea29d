import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns'
import { refuseUnknownOptions, snsQuotas } from '@org/kinesis-core'
import { MESSAGE_OPTIONS, type MessageOptions, messageSink } from '../messages/message-sink.js'
import { requireFunction, requireText, whole } from '../option-checks.js'
import type { Sink } from '../sink.js'

export interface SnsSinkOptions<T> extends MessageOptions<T> {
  client: SNSClient
  /** Of a standard or a FIFO topic. */
  topicArn: string
  /** The topic's own limit (`MaximumMessageSize`) of a message with its attributes, in bytes; up to 1 MiB. @default 262_144 */
  maxMessageBytes?: number
}

/**
 * Publishes each record to a topic, ten in a request, at least once. A FIFO topic gets the records of a partition key in their order, as a
 * group of their own, and drops what comes again within five minutes; a standard topic keeps no order. What no message can hold is rejected alone.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function snsSink<T>(options: SnsSinkOptions<T>): Sink<T> {
  refuseUnknownOptions(options, [...MESSAGE_OPTIONS, 'client', 'topicArn', 'maxMessageBytes'])
  const { client, topicArn } = options
  requireFunction('client', client?.send, 'Pass an SNSClient.')
  requireText('topicArn', topicArn, 'Give the ARN of the topic.')
  const { defaultMaxMessageBytes, maxMessageBytes: most, maxBatchEntries } = snsQuotas
  return messageSink(options, {
    what: 'SNS',
    // Only the names of FIFO topics end so, and all of them do.
    isFifo: topicArn.endsWith('.fifo'),
    maxBatchEntries,
    maxMessageBytes: whole('maxMessageBytes', options.maxMessageBytes ?? defaultMaxMessageBytes, 1, most),
    sendBatch: (messages, abortSignal) =>
      client.send(
        new PublishBatchCommand({
          TopicArn: topicArn,
          PublishBatchRequestEntries: messages.map(
            ({ body, attributes, groupId, deduplicationId }, place) => ({
              Id: String(place),
              Message: body,
              MessageAttributes: attributes,
              MessageGroupId: groupId,
              MessageDeduplicationId: deduplicationId,
            }),
          ),
        }),
        { abortSignal },
      ),
  })
}
