import {
  BatchRequestTooLongException,
  CreateTopicCommand,
  DeleteTopicCommand,
  GetTopicAttributesCommand,
  InvalidParameterException,
  ListSubscriptionsByTopicCommand,
  ListSubscriptionsCommand,
  ListTopicsCommand,
  NotFoundException,
  PublishBatchCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { connection } from './support/clients.js'

let local: Local
let client: SNSClient
let next = 1

beforeAll(async () => {
  local = await startLocal({ queues: ['standing'], topics: ['alarms'] })
  client = new SNSClient(connection(local))
})
afterAll(async () => {
  client.destroy()
  await local.close()
})

const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`

async function aTopic(Attributes: Record<string, string> = {}) {
  const { TopicArn } = await client.send(new CreateTopicCommand({ Name: `topic-${next++}`, Attributes }))
  return TopicArn!
}

/** A queue that the topic's messages go to. */
async function aSubscribedQueue(TopicArn: string, Attributes: Record<string, string> = {}) {
  const name = `queue-${next++}`
  await local.sqs.call('CreateQueue', { QueueName: name })
  const { SubscriptionArn } = await client.send(
    new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn(name), Attributes }),
  )
  return {
    SubscriptionArn: SubscriptionArn!,
    name,
    bodies: () => local.queueMessages(name).map(({ body }) => body),
  }
}

describe('SNS', () => {
  it('has the topics that were asked for', async () => {
    const { Topics } = await client.send(new ListTopicsCommand())

    expect(Topics).toContainEqual({ TopicArn: 'arn:aws:sns:us-east-1:000000000000:alarms' })
    expect(local.topicArn('alarms')).toBe('arn:aws:sns:us-east-1:000000000000:alarms')
  })

  it('tells a queue of a message in the documented envelope', async () => {
    const TopicArn = await aTopic()
    const { bodies, SubscriptionArn } = await aSubscribedQueue(TopicArn)

    const { MessageId } = await client.send(
      new PublishCommand({
        TopicArn,
        Subject: 'An alarm',
        Message: 'Zażółć & <gęślą>\nline two',
        MessageAttributes: {
          kind: { DataType: 'String', StringValue: 'alarm' },
          bytes: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2, 255]) },
        },
      }),
    )

    expect(bodies().map((body) => JSON.parse(body))).toEqual([
      {
        Type: 'Notification',
        MessageId,
        TopicArn,
        Subject: 'An alarm',
        Message: 'Zażółć & <gęślą>\nline two',
        Timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        SignatureVersion: '1',
        Signature: 'unsigned',
        SigningCertURL: expect.stringContaining(local.url),
        UnsubscribeURL: `${local.url}/?Action=Unsubscribe&SubscriptionArn=${SubscriptionArn}`,
        MessageAttributes: {
          kind: { Type: 'String', Value: 'alarm' },
          bytes: { Type: 'Binary', Value: 'AQL/' },
        },
      },
    ])
  })

  it('hands a queue the message and its attributes as they are, where raw delivery was asked for', async () => {
    const TopicArn = await aTopic()
    const { name } = await aSubscribedQueue(TopicArn, { RawMessageDelivery: 'true' })

    await client.send(
      new PublishCommand({
        TopicArn,
        Message: 'plain',
        MessageAttributes: { kind: { DataType: 'String', StringValue: 'order' } },
      }),
    )

    expect(local.queueMessages(name)).toMatchObject([
      { body: 'plain', attributes: { kind: { DataType: 'String', StringValue: 'order' } } },
    ])
  })

  it('takes the part for SQS of a message that has one for each protocol', async () => {
    const TopicArn = await aTopic()
    const { bodies } = await aSubscribedQueue(TopicArn, { RawMessageDelivery: 'true' })
    const publish = (message: unknown) =>
      client.send(
        new PublishCommand({ TopicArn, MessageStructure: 'json', Message: JSON.stringify(message) }),
      )

    await publish({ default: 'for all', sqs: 'for queues' })
    await publish({ default: 'for all' })

    expect(bodies()).toEqual(['for queues', 'for all'])
    await expect(publish({ sqs: 'alone' })).rejects.toThrow('No default entry')
  })

  it('publishes batches, each entry by itself', async () => {
    const TopicArn = await aTopic()
    const { bodies } = await aSubscribedQueue(TopicArn, { RawMessageDelivery: 'true' })

    const { Successful, Failed } = await client.send(
      new PublishBatchCommand({
        TopicArn,
        PublishBatchRequestEntries: [
          { Id: 'a', Message: 'one' },
          { Id: 'b', Message: 'two', Subject: 'a subject\nof two lines' },
          { Id: 'c', Message: 'three' },
        ],
      }),
    )

    expect(Successful?.map(({ Id }) => Id)).toEqual(['a', 'c'])
    expect(Failed).toMatchObject([{ Id: 'b', Code: 'InvalidParameter', SenderFault: true }])
    expect(bodies()).toEqual(['one', 'three'])
  })

  it('keeps the limits of messages: 256 KiB with the attributes, more where the topic says so', async () => {
    const TopicArn = await aTopic()
    const large = await aTopic({ MaximumMessageSize: String(1024 * 1024) })
    const publish = (topic: string, bytes: number) =>
      client.send(new PublishCommand({ TopicArn: topic, Message: 'x'.repeat(bytes) }))

    await publish(TopicArn, 256 * 1024)
    await expect(publish(TopicArn, 256 * 1024 + 1)).rejects.toThrow(InvalidParameterException)
    await publish(large, 1024 * 1024)
    await expect(publish(large, 1024 * 1024 + 1)).rejects.toThrow('Message too long')
    await expect(
      client.send(
        new PublishBatchCommand({
          TopicArn,
          PublishBatchRequestEntries: ['a', 'b'].map((Id) => ({ Id, Message: 'x'.repeat(200_000) })),
        }),
      ),
    ).rejects.toThrow(BatchRequestTooLongException)
  })

  it('lists the subscriptions of a topic and of all, and forgets one that is ended', async () => {
    const TopicArn = await aTopic()
    const { SubscriptionArn, name, bodies } = await aSubscribedQueue(TopicArn)
    await aSubscribedQueue(await aTopic())
    const ofTopic = async () =>
      (await client.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions

    expect(await ofTopic()).toEqual([
      { SubscriptionArn, TopicArn, Protocol: 'sqs', Endpoint: queueArn(name), Owner: '000000000000' },
    ])
    const { Subscriptions } = await client.send(new ListSubscriptionsCommand())
    expect(Subscriptions!.length).toBeGreaterThan(1)
    expect((await client.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes).toMatchObject({
      SubscriptionsConfirmed: '1',
      MaximumMessageSize: '262144',
    })

    await client.send(new UnsubscribeCommand({ SubscriptionArn }))
    await client.send(new PublishCommand({ TopicArn, Message: 'after' }))
    expect(await ofTopic()).toEqual([])
    expect(bodies()).toEqual([])
  })

  it('gives long lists in pages', async () => {
    for (let index = 0; index < 101; index++) await local.sns.call('CreateTopic', { Name: `page-${index}` })

    const first = await client.send(new ListTopicsCommand())
    const second = await client.send(new ListTopicsCommand({ NextToken: first.NextToken }))

    expect(first.Topics).toHaveLength(100)
    const arns = [...first.Topics!, ...second.Topics!].map(({ TopicArn }) => TopicArn)
    expect(new Set(arns).size).toBe(arns.length)
    expect(arns).toContain(local.topicArn('page-100'))
  })

  it('takes the same topic and the same subscription twice, and others under the same name not', async () => {
    const TopicArn = await aTopic()
    const Name = TopicArn.split(':').at(-1)
    const { SubscriptionArn, name } = await aSubscribedQueue(TopicArn)
    const subscribe = (RawMessageDelivery: string) =>
      client.send(
        new SubscribeCommand({
          TopicArn,
          Protocol: 'sqs',
          Endpoint: queueArn(name),
          Attributes: { RawMessageDelivery },
        }),
      )

    expect((await client.send(new CreateTopicCommand({ Name }))).TopicArn).toBe(TopicArn)
    await expect(
      client.send(new CreateTopicCommand({ Name, Attributes: { DisplayName: 'other' } })),
    ).rejects.toThrow('different attributes')
    expect((await subscribe('false')).SubscriptionArn).toBe(SubscriptionArn)
    await expect(subscribe('true')).rejects.toThrow('different attributes')
  })

  it('counts what was published, and what reached no queue', async () => {
    const TopicArn = await aTopic()
    await aSubscribedQueue(TopicArn)
    await client.send(
      new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn('of-which-there-is-none') }),
    )

    await client.send(new PublishCommand({ TopicArn, Message: 'm' }))

    const sum = (metric: string) => {
      const series = local.metrics.series('AWS/SNS', metric, { TopicName: TopicArn.split(':').at(-1)! })!
      return local.metrics.query(series, 0, Number.MAX_SAFE_INTEGER, 60)[0]?.values.sum
    }
    expect(sum('NumberOfMessagesPublished')).toBe(1)
    expect(sum('NumberOfNotificationsDelivered')).toBe(1)
    expect(sum('NumberOfNotificationsFailed')).toBe(1)
  })

  it.each([
    ['a name that is none', new CreateTopicCommand({ Name: 'not a name' }), 'InvalidParameterException'],
    [
      'a FIFO topic',
      new CreateTopicCommand({ Name: 'a', Attributes: { FifoTopic: 'true' } }),
      'InvalidParameterException',
    ],
    [
      'a protocol that is not served',
      new SubscribeCommand({
        TopicArn: 'arn:aws:sns:us-east-1:000000000000:alarms',
        Protocol: 'email',
        Endpoint: 'a@b.c',
      }),
      'InvalidParameterException',
    ],
    [
      'a filter policy, which is not served',
      new SubscribeCommand({
        TopicArn: 'arn:aws:sns:us-east-1:000000000000:alarms',
        Protocol: 'sqs',
        Endpoint: queueArn('standing'),
        Attributes: { FilterPolicy: '{}' },
      }),
      'InvalidParameterException',
    ],
    [
      'an ARN that is none',
      new PublishCommand({ TopicArn: 'alarms', Message: 'm' }),
      'InvalidParameterException',
    ],
    ['a message to nowhere', new PublishCommand({ Message: 'm' }), 'InvalidParameterException'],
    [
      'an attribute without a value',
      new PublishCommand({
        TopicArn: 'arn:aws:sns:us-east-1:000000000000:alarms',
        Message: 'm',
        MessageAttributes: { a: { DataType: 'String' } },
      }),
      'InvalidParameterValueException',
    ],
    [
      'an empty batch',
      new PublishBatchCommand({
        TopicArn: 'arn:aws:sns:us-east-1:000000000000:alarms',
        PublishBatchRequestEntries: [],
      }),
      'EmptyBatchRequestException',
    ],
    [
      'a batch of eleven',
      new PublishBatchCommand({
        TopicArn: 'arn:aws:sns:us-east-1:000000000000:alarms',
        PublishBatchRequestEntries: Array.from({ length: 11 }, (_, index) => ({
          Id: String(index),
          Message: 'm',
        })),
      }),
      'TooManyEntriesInBatchRequestException',
    ],
    [
      'a batch with one Id twice',
      new PublishBatchCommand({
        TopicArn: 'arn:aws:sns:us-east-1:000000000000:alarms',
        PublishBatchRequestEntries: [
          { Id: 'a', Message: 'm' },
          { Id: 'a', Message: 'm' },
        ],
      }),
      'BatchEntryIdsNotDistinctException',
    ],
  ])('refuses %s with the error of the service', async (_, command, name) => {
    await expect(client.send(command as PublishCommand)).rejects.toMatchObject({ name })
  })

  it('says that a topic does not exist, or not any more', async () => {
    const TopicArn = await aTopic()
    await client.send(new DeleteTopicCommand({ TopicArn }))
    await client.send(new DeleteTopicCommand({ TopicArn }))

    await expect(client.send(new PublishCommand({ TopicArn, Message: 'm' }))).rejects.toThrow(
      NotFoundException,
    )
    await expect(local.sns.call('Publish', { TopicArn, Message: 'm' })).rejects.toMatchObject({
      code: 'NotFound',
    })
  })

  it.each([
    ['no parameters', ''],
    ['an unknown version', 'Action=Publish&Version=1999-01-01'],
    ['an unknown action', 'Action=__proto__&Version=2010-03-31'],
    ['a parameter that is value and structure', 'Action=Publish&Version=2010-03-31&a=1&a.b=2'],
    ['a deep parameter', `Action=Publish&Version=2010-03-31&${'a.'.repeat(50)}a=1`],
    ['a map without keys', 'Action=Publish&Version=2010-03-31&MessageAttributes.entry.1=x'],
    ['names of prototypes', 'Action=Publish&Version=2010-03-31&__proto__.x=1&constructor.prototype.y=2'],
    ['bytes', '\u0000\u0001&=%%%=&.member.='],
  ])('answers a form with %s in XML, with an error', async (_, body) => {
    const response = await fetch(local.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body,
    })

    expect(response.status).toBe(400)
    expect(await response.text()).toMatch(/^<ErrorResponse .*<Type>Sender<\/Type><Code>\w+<\/Code>/)
    expect(Object.prototype).not.toHaveProperty('x')
  })
})
