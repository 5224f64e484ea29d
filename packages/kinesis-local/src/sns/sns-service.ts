import { randomUUID } from 'node:crypto'
import type { Clock } from '@org/kinesis-core'
import { type LocalService, type MetricSink, ServiceError } from '../service.js'
import type { QueryProtocol } from '../wire/query-protocol.js'
import { type Notification, readNotification, toSqsMessage } from './notification.js'
import { invalidParameter, notFound } from './sns-error.js'
import { batchEntries, messageBytes, page, required, type SnsInput, target, textMap } from './sns-input.js'
import type { Subscription, Topic } from './topic.js'

export interface SnsServiceOptions {
  region: string
  accountId: string
  clock: Clock
  metrics: MetricSink
  /** Where the queues are that subscribe. */
  sqs: LocalService
  /** Of the endpoint; it may be known later than the service. */
  url: () => string
}

export const SNS_QUERY: QueryProtocol = {
  version: '2010-03-31',
  xmlNamespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
  maps: ['Attributes'],
}

/** Less than the service allows, which is memory here. */
const MAX_TOPICS = 10_000
const MAX_SUBSCRIPTIONS = 1_000

type Operation = (service: SnsService, input: SnsInput) => unknown

/** The part of SNS that alarms and failure destinations use: standard topics, to which queues subscribe. */
export class SnsService implements LocalService {
  /** No target names it: clients speak the query protocol. */
  readonly targetPrefix = 'AmazonSimpleNotificationService'
  readonly #topics = new Map<string, Topic>()

  static readonly #operations: Readonly<Record<string, Operation>> = {
    CreateTopic: (service, input) => service.#create(input),
    DeleteTopic: (service, input) => void service.#topics.delete(required(input, 'TopicArn')),
    ListTopics: (service, input) => service.#list(input),
    GetTopicAttributes: (service, input) => service.#attributes(service.#at(required(input, 'TopicArn'))),
    Subscribe: (service, input) => service.#subscribe(input),
    Unsubscribe: (service, input) => service.#unsubscribe(required(input, 'SubscriptionArn')),
    ListSubscriptions: (service, input) => listSubscriptions([...service.#topics.values()], input),
    ListSubscriptionsByTopic: (service, input) =>
      listSubscriptions([service.#at(required(input, 'TopicArn'))], input),
    Publish: (service, input) => service.#publish(input),
    PublishBatch: (service, input) => service.#publishBatch(input),
  }

  constructor(private readonly options: SnsServiceOptions) {}

  async call(operation: string, input: SnsInput): Promise<unknown> {
    if (!Object.hasOwn(SnsService.#operations, operation)) {
      throw new ServiceError('InvalidAction', `The action ${operation} is not supported here.`)
    }
    return (await SnsService.#operations[operation]!(this, input)) ?? {}
  }

  /** Of a topic that is or will be. */
  topicArn(name: string): string {
    return `arn:aws:sns:${this.options.region}:${this.options.accountId}:${name}`
  }

  #create(input: SnsInput): unknown {
    const name = required(input, 'Name')
    if (!/^[\w-]{1,256}$/.test(name)) throw invalidParameter('Topic Name')
    const attributes = textMap(input.Attributes)
    if (attributes.FifoTopic === 'true')
      throw invalidParameter('FifoTopic: FIFO topics are not supported here')
    const arn = this.topicArn(name)
    const known = this.#topics.get(arn)
    if (known !== undefined) {
      const isSame = Object.entries(attributes).every(([key, value]) => known.attributes[key] === value)
      if (isSame) return { TopicArn: arn }
      throw invalidParameter('Attributes Reason: Topic already exists with different attributes')
    }
    if (this.#topics.size >= MAX_TOPICS) {
      throw new ServiceError('TopicLimitExceeded', `There are ${MAX_TOPICS} topics already.`, 403)
    }
    const maxMessageBytes = messageBytes(attributes.MaximumMessageSize)
    this.#topics.set(arn, { arn, name, attributes, maxMessageBytes, subscriptions: new Map() })
    return { TopicArn: arn }
  }

  #list(input: SnsInput): unknown {
    const { shown, NextToken } = page([...this.#topics.keys()], input)
    return { Topics: shown.map((TopicArn) => ({ TopicArn })), ...NextToken }
  }

  #attributes({ arn, attributes, maxMessageBytes, subscriptions }: Topic): unknown {
    return {
      Attributes: {
        DisplayName: '',
        ...attributes,
        TopicArn: arn,
        Owner: this.options.accountId,
        MaximumMessageSize: String(maxMessageBytes),
        SubscriptionsConfirmed: String(subscriptions.size),
        SubscriptionsPending: '0',
        SubscriptionsDeleted: '0',
      },
    }
  }

  #subscribe(input: SnsInput): unknown {
    const topic = this.#at(required(input, 'TopicArn'))
    const protocol = required(input, 'Protocol')
    if (protocol !== 'sqs') {
      throw invalidParameter(`Protocol: ${protocol.slice(0, 40)} is not supported here; use sqs`)
    }
    const endpoint = required(input, 'Endpoint')
    if (!/^arn:aws:sqs:[\w-]+:\d{12}:[\w-]{1,80}$/.test(endpoint)) throw invalidParameter('SQS endpoint ARN')
    const { RawMessageDelivery = 'false', ...others } = textMap(input.Attributes)
    if (!['true', 'false'].includes(RawMessageDelivery)) {
      throw invalidParameter('Attributes Reason: RawMessageDelivery: Invalid value. Must be true or false.')
    }
    const [unsupported] = Object.keys(others)
    if (unsupported !== undefined) {
      throw invalidParameter(`Attributes Reason: ${unsupported.slice(0, 40)} is not supported here`)
    }
    const isRaw = RawMessageDelivery === 'true'
    const known = [...topic.subscriptions.values()].find((one) => one.endpoint === endpoint)
    if (known !== undefined) {
      if (known.isRaw === isRaw) return { SubscriptionArn: known.arn }
      throw invalidParameter('Attributes Reason: Subscription already exists with different attributes')
    }
    if (topic.subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw new ServiceError('SubscriptionLimitExceeded', 'The topic has too many subscriptions.', 403)
    }
    const arn = `${topic.arn}:${randomUUID()}`
    topic.subscriptions.set(arn, { arn, topicArn: topic.arn, endpoint, isRaw })
    return { SubscriptionArn: arn }
  }

  #unsubscribe(arn: string): void {
    const topicArn = arn.slice(0, Math.max(0, arn.lastIndexOf(':')))
    const isArn = /^arn:aws:sns:[\w-]+:\d{12}:[\w-]+:[\w-]+$/.test(arn)
    if (!isArn) throw invalidParameter('SubscriptionArn Reason: An ARN must have at least 6 elements')
    // Doing it twice is no error.
    this.#topics.get(topicArn)?.subscriptions.delete(arn)
  }

  async #publish(input: SnsInput): Promise<unknown> {
    const topic = this.#at(target(input))
    const notification = readNotification(input, randomUUID(), this.options.clock.now())
    if (notification.bytes > topic.maxMessageBytes) throw invalidParameter('Message too long')
    await this.#notify(topic, notification)
    return { MessageId: notification.messageId }
  }

  async #publishBatch(input: SnsInput): Promise<unknown> {
    const topic = this.#at(required(input, 'TopicArn'))
    const entries = batchEntries(input.PublishBatchRequestEntries)
    const read = entries.map(({ Id, ...entry }) => ({ Id, notification: this.#readEntry(entry) }))
    let bytes = 0
    for (const { notification } of read) bytes += 'bytes' in notification ? notification.bytes : 0
    if (bytes > topic.maxMessageBytes) {
      throw new ServiceError(
        'BatchRequestTooLong',
        `The length of all the messages put together is more than the limit of ${topic.maxMessageBytes} bytes.`,
      )
    }
    const Successful: unknown[] = []
    const Failed: unknown[] = []
    for (const { Id, notification } of read) {
      if (notification instanceof ServiceError) {
        Failed.push({ Id, Code: notification.code, Message: notification.message, SenderFault: true })
      } else {
        await this.#notify(topic, notification)
        Successful.push({ Id, MessageId: notification.messageId })
      }
    }
    return { Successful, Failed }
  }

  #readEntry(entry: SnsInput): Notification | ServiceError {
    try {
      return readNotification(entry, randomUUID(), this.options.clock.now())
    } catch (error) {
      if (error instanceof ServiceError) return error
      throw error
    }
  }

  /** Answered when every queue has it, so that a test need not wait. A queue that refuses it loses it, as in the service. */
  async #notify(topic: Topic, notification: Notification): Promise<void> {
    this.#count(topic, 'NumberOfMessagesPublished')
    await Promise.all(
      [...topic.subscriptions.values()].map(async (subscription) => {
        try {
          await this.#send(subscription, notification)
          this.#count(topic, 'NumberOfNotificationsDelivered')
        } catch {
          this.#count(topic, 'NumberOfNotificationsFailed')
        }
      }),
    )
  }

  async #send(subscription: Subscription, notification: Notification): Promise<void> {
    const { sqs, url } = this.options
    const QueueName = subscription.endpoint.split(':').at(-1)!
    const { QueueUrl } = (await sqs.call('GetQueueUrl', { QueueName })) as { QueueUrl: string }
    await sqs.call('SendMessage', { QueueUrl, ...toSqsMessage(notification, subscription, url()) })
  }

  #count({ name }: Topic, metric: string): void {
    this.options.metrics.put({
      namespace: 'AWS/SNS',
      name: metric,
      dimensions: { TopicName: name },
      unit: 'Count',
      value: 1,
      timestampMs: this.options.clock.now(),
    })
  }

  #at(arn: string): Topic {
    if (!/^arn:aws:sns:[\w-]+:\d{12}:[\w-]+$/.test(arn)) throw invalidParameter('TopicArn')
    const topic = this.#topics.get(arn)
    if (topic === undefined) throw notFound('Topic')
    return topic
  }
}

function listSubscriptions(topics: readonly Topic[], input: SnsInput): unknown {
  const all = topics.flatMap(({ subscriptions }) => [...subscriptions.values()])
  const { shown, NextToken } = page(all, input)
  return {
    Subscriptions: shown.map(({ arn, topicArn, endpoint }) => ({
      SubscriptionArn: arn,
      Owner: topicArn.split(':')[4],
      Protocol: 'sqs',
      Endpoint: endpoint,
      TopicArn: topicArn,
    })),
    ...NextToken,
  }
}
