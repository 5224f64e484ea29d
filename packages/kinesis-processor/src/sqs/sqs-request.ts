import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { sqsQuotas } from '@org/kinesis-core'
import type { MessageTarget } from '../messages/send-messages.js'

/** How messages get to a queue. Its name says whether it is FIFO: only those end in `.fifo`, and all of them do. */
export function sqsTarget({ client, queueUrl }: { client: SQSClient; queueUrl: string }) {
  return {
    what: 'SQS',
    isFifo: queueUrl.endsWith('.fifo'),
    maxBatchEntries: sqsQuotas.maxBatchEntries,
    sendBatch: (messages, abortSignal) =>
      client.send(
        new SendMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: messages.map(({ body, attributes, groupId, deduplicationId }, place) => ({
            Id: String(place),
            MessageBody: body,
            MessageAttributes: attributes,
            MessageGroupId: groupId,
            MessageDeduplicationId: deduplicationId,
          })),
        }),
        { abortSignal },
      ),
  } satisfies Partial<MessageTarget>
}
