import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { buildApp } from 'fauxqs'

interface Received {
  body: string
  group: string | undefined
  deduplicationId: string | undefined
}

/** SQS and SNS with a FIFO queue that gets what a FIFO topic gets: the toolkit's own have standard ones only. */
export async function startFifoServices() {
  const app = buildApp({ logger: false })
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 })
  const connection = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  }
  const sqs = new SQSClient(connection)
  const sns = new SNSClient(connection)
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: 'orders.fifo', Attributes: { FifoQueue: 'true' } }),
  )
  const queueUrl = QueueUrl!
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
  )
  const { TopicArn } = await sns.send(
    new CreateTopicCommand({ Name: 'orders.fifo', Attributes: { FifoTopic: 'true' } }),
  )
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: 'sqs',
      Endpoint: Attributes!.QueueArn,
      Attributes: { RawMessageDelivery: 'true' },
    }),
  )
  return {
    sqs,
    sns,
    queueUrl,
    topicArn: TopicArn!,
    /** In the order of delivery; each is deleted, so that the next of its group comes. */
    async receiveAll(): Promise<Received[]> {
      const received: Received[] = []
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrl,
            MaxNumberOfMessages: 10,
            MessageSystemAttributeNames: ['All'],
          }),
        )
        if (Messages.length === 0) return received
        for (const { Body = '', Attributes: system = {}, ReceiptHandle } of Messages) {
          const { MessageGroupId, MessageDeduplicationId } = system
          received.push({ body: Body, group: MessageGroupId, deduplicationId: MessageDeduplicationId })
          await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }))
        }
      }
    },
    async [Symbol.asyncDispose]() {
      sqs.destroy()
      sns.destroy()
      await app.close()
    },
  }
}
