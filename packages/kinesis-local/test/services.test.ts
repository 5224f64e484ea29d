import {
  CloudWatchClient,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  type MetricDataQuery,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch'
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  InvalidBatchEntryId,
  PurgeQueueCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { connection } from './support/clients.js'

const events = {
  TableName: 'events',
  KeySchema: [
    { AttributeName: 'user_id', KeyType: 'HASH' as const },
    { AttributeName: 'timestamp', KeyType: 'RANGE' as const },
  ],
  AttributeDefinitions: [
    { AttributeName: 'user_id', AttributeType: 'S' as const },
    { AttributeName: 'timestamp', AttributeType: 'S' as const },
    { AttributeName: 'event_type', AttributeType: 'S' as const },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'event-type-index',
      KeySchema: [
        { AttributeName: 'event_type', KeyType: 'HASH' as const },
        { AttributeName: 'timestamp', KeyType: 'RANGE' as const },
      ],
      Projection: { ProjectionType: 'ALL' as const },
    },
  ],
  BillingMode: 'PAY_PER_REQUEST' as const,
}

let local: Local

beforeAll(async () => {
  local = await startLocal({ region: 'eu-west-1', tables: [events], queues: ['rejected'] })
})
afterAll(() => local.close())

describe('DynamoDB', () => {
  let client: DynamoDBClient

  beforeAll(() => {
    client = new DynamoDBClient(connection(local))
  })
  afterAll(() => client.destroy())

  const item = (user: string, at: string, type: string) => ({
    user_id: { S: user },
    timestamp: { S: at },
    event_type: { S: type },
  })

  it('has the tables that were asked for, active at once', async () => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'events' }))

    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: 'arn:aws:dynamodb:eu-west-1:000000000000:table/events',
    })
  })

  it('writes in batches and reads by index', async () => {
    await client.send(
      new BatchWriteItemCommand({
        RequestItems: {
          events: ['1', '2', '3'].map((at) => ({
            PutRequest: { Item: item('u', at, at === '2' ? 'B' : 'A') },
          })),
        },
      }),
    )

    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: 'events',
        IndexName: 'event-type-index',
        KeyConditionExpression: 'event_type = :t',
        ExpressionAttributeValues: { ':t': { S: 'A' } },
      }),
    )
    expect(Items.map(({ timestamp }) => timestamp!.S)).toEqual(['1', '3'])
  })

  it('refuses a put whose condition does not hold', async () => {
    const put = () =>
      client.send(
        new PutItemCommand({
          TableName: 'events',
          Item: item('once', '1', 'A'),
          ConditionExpression: 'attribute_not_exists(user_id)',
        }),
      )
    await put()

    await expect(put()).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' })
  })

  it('remembers which attribute holds the expiry', async () => {
    const TableName = 'events'
    const TimeToLiveSpecification = { AttributeName: 'ttl', Enabled: true }

    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))

    expect(await client.send(new DescribeTimeToLiveCommand({ TableName }))).toMatchObject({
      TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' },
    })
    await expect(
      client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification })),
    ).rejects.toThrow('already enabled')
    await expect(
      client.send(new UpdateTimeToLiveCommand({ TableName: 'nowhere', TimeToLiveSpecification })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  it('is the same in process and over the wire', async () => {
    await client.send(new CreateTableCommand({ ...events, TableName: 'other' }))
    await local.dynamodb.call('PutItem', { TableName: 'other', Item: item('u', '1', 'A') })

    expect(await local.dynamodb.call('Scan', { TableName: 'other' })).toMatchObject({ Count: 1 })
    await expect(local.dynamodb.call('Scan', { TableName: 'none' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    })
  })
})

describe('SQS', () => {
  let client: SQSClient
  let next = 1

  beforeAll(() => {
    client = new SQSClient(connection(local))
  })
  afterAll(() => client.destroy())

  async function aQueue(Attributes = {}) {
    const QueueName = `queue-${next++}`
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName, Attributes }))
    const receive = async (more = {}) =>
      (await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...more })))
        .Messages ?? []
    return { QueueName, QueueUrl, receive }
  }

  it('delivers what was sent, with the digests that the SDK checks', async () => {
    const { QueueName, QueueUrl, receive } = await aQueue()
    const MessageAttributes = { reason: { DataType: 'String', StringValue: 'broken-json' } }

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'żółw', MessageAttributes }))
    const [message] = await receive({ MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] })

    expect(message).toMatchObject({
      Body: 'żółw',
      MessageAttributes: { reason: { StringValue: 'broken-json' } },
      Attributes: { ApproximateReceiveCount: '1' },
    })
    expect(local.queueMessages(QueueName).map(({ body }) => body)).toEqual(['żółw'])
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message!.ReceiptHandle }))
    expect(local.queueMessages(QueueName)).toEqual([])
  })

  it('gives attributes only to those who ask', async () => {
    const { QueueUrl, receive } = await aQueue()
    const MessageAttributes = { reason: { DataType: 'String', StringValue: 'x' } }
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm', MessageAttributes }))

    const [message] = await receive()

    expect(message!.MessageAttributes).toBeUndefined()
    expect(message!.Attributes).toBeUndefined()
  })

  it('hides a message that was received, and shows it again when its time is over', async () => {
    const { QueueUrl, receive } = await aQueue({ VisibilityTimeout: '1' })
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm' }))

    expect(await receive()).toHaveLength(1)
    expect(await receive()).toHaveLength(0)
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    )
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '1',
    })
    expect(await receive({ WaitTimeSeconds: 5 })).toHaveLength(1)
  })

  it('answers a waiting receiver as soon as a message is sent', async () => {
    const { QueueUrl, receive } = await aQueue()
    const waiting = receive({ WaitTimeSeconds: 20 })

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm' }))

    expect(await waiting).toHaveLength(1)
  })

  it.each([
    ['HTTP/1.1', () => new NodeHttpHandler()],
    ['HTTP/2', () => new NodeHttp2Handler()],
  ] as const)('gives no message to a receiver that has gone, over %s', async (_, requestHandler) => {
    const { QueueUrl, receive } = await aQueue()
    const gone = new SQSClient({ ...connection(local), requestHandler: requestHandler() })
    const abort = new AbortController()
    const waiting = gone.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }), {
      abortSignal: abort.signal,
    })
    // It waits in the service before it goes, and the service sees it go.
    await new Promise((resolve) => setTimeout(resolve, 200))
    abort.abort()
    await expect(waiting).rejects.toThrow()
    await new Promise((resolve) => setTimeout(resolve, 100))
    gone.destroy()

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm' }))

    expect(await receive()).toMatchObject([{ Body: 'm' }])
  })

  it('takes and deletes messages in batches, each by itself', async () => {
    const { QueueUrl, receive } = await aQueue()

    const sent = await client.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'a', MessageBody: 'good' },
          { Id: 'b', MessageBody: 'not good \u0001' },
        ],
      }),
    )
    const messages = await receive()
    const deleted = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'a', ReceiptHandle: messages[0]!.ReceiptHandle },
          { Id: 'b', ReceiptHandle: 'nonsense' },
        ],
      }),
    )

    expect(sent.Successful?.map(({ Id }) => Id)).toEqual(['a'])
    expect(sent.Failed).toMatchObject([{ Id: 'b', SenderFault: true, Code: 'InvalidParameterValue' }])
    expect(deleted.Successful?.map(({ Id }) => Id)).toEqual(['a'])
    expect(deleted.Failed).toMatchObject([{ Id: 'b', Code: 'ReceiptHandleIsInvalid' }])
  })

  it('shows a received message again when its receiver says so, also to who waits for one', async () => {
    const { QueueUrl, receive } = await aQueue()
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm' }))
    const [message] = await receive()
    const waiting = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }))
    const { ReceiptHandle } = message!

    await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }))

    const { Messages = [] } = await waiting
    expect(Messages).toMatchObject([{ Body: 'm' }])
    const deleted = Messages[0]!.ReceiptHandle
    const entries = [
      { Id: 'a', ReceiptHandle: deleted, VisibilityTimeout: 0 },
      { Id: 'b', ReceiptHandle: deleted, VisibilityTimeout: 0 },
      { Id: 'c', ReceiptHandle: 'nonsense', VisibilityTimeout: 0 },
      { Id: 'd', ReceiptHandle: deleted, VisibilityTimeout: 43_201 },
    ]
    const changed = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: entries }))
    expect(changed.Successful?.map(({ Id }) => Id)).toEqual(['a'])
    expect(changed.Failed?.map(({ Code }) => Code)).toEqual([
      'MessageNotInflight',
      'ReceiptHandleIsInvalid',
      'InvalidParameterValue',
    ])
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: deleted }))
    await expect(
      client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: deleted, VisibilityTimeout: 0 }),
      ),
    ).rejects.toThrow('does not exist')
  })

  it('takes 1 MiB in a message or a batch, and no more', async () => {
    const { QueueUrl } = await aQueue()
    const body = (bytes: number) => 'x'.repeat(bytes)
    const half = 512 * 1024

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: body(2 * half) }))
    await expect(
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: body(2 * half + 1) })),
    ).rejects.toThrow('Message must be shorter than')
    await expect(
      client.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: ['a', 'b'].map((Id) => ({ Id, MessageBody: body(half + 1) })),
        }),
      ),
    ).rejects.toMatchObject({ name: 'BatchRequestTooLong' })
  })

  it('moves a message that was received too often to the dead-letter queue', async () => {
    const dead = await aQueue()
    const deadLetterTargetArn = `arn:aws:sqs:eu-west-1:000000000000:${dead.QueueName}`
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 })
    const { QueueUrl, receive } = await aQueue({ RedrivePolicy, VisibilityTimeout: '0' })
    const waiting = dead.receive({ WaitTimeSeconds: 20 })
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison' }))

    expect(await receive()).toHaveLength(1)
    expect(await receive()).toHaveLength(1)
    expect(await receive()).toEqual([])
    expect(await waiting).toMatchObject([{ Body: 'poison' }])
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    )
    expect(Attributes).toMatchObject({ RedrivePolicy, ApproximateNumberOfMessages: '0' })
  })

  it.each([
    [{ FifoQueue: 'true' }, 'FIFO queues are not supported here'],
    [{ RedrivePolicy: 'nonsense' }, 'It must be JSON'],
    [{ RedrivePolicy: '{"maxReceiveCount":0}' }, 'maxReceiveCount must be'],
    [{ RedrivePolicy: '{"maxReceiveCount":3,"deadLetterTargetArn":"arn:none"}' }, 'target does not exist'],
  ])('makes no queue that would not be as it was asked for: %j', async (attributes, reason) => {
    await expect(aQueue(attributes)).rejects.toThrow(reason)
  })

  it('refuses ids of entries and types of attributes that are none', async () => {
    const { QueueUrl } = await aQueue()
    const Entries = [{ Id: 'bad id!', MessageBody: 'm' }]
    const MessageAttributes = { a: { DataType: 'Foo', StringValue: 'x' } }

    await expect(client.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toThrow(
      InvalidBatchEntryId,
    )
    await expect(
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm', MessageAttributes })),
    ).rejects.toThrow("attribute 'a' is invalid")
  })

  it('says that a queue does not exist as the SDK understands it', async () => {
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toThrow(
      QueueDoesNotExist,
    )
    expect(() => local.queueUrl('none')).toThrow('There is no queue none')
    expect(local.queueUrl('rejected')).toBe(`${local.url}/000000000000/rejected`)
  })

  it('is empty after a purge', async () => {
    const { QueueName, QueueUrl } = await aQueue()
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm' }))

    await client.send(new PurgeQueueCommand({ QueueUrl }))

    expect(local.queueMessages(QueueName)).toEqual([])
  })
})

describe('CloudWatch', () => {
  let client: CloudWatchClient
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000)
  const at = (second: number) => new Date(minute.getTime() + second * 1000)
  const window = { StartTime: at(-600), EndTime: at(600) }

  beforeAll(() => {
    client = new CloudWatchClient(connection(local))
  })
  afterAll(() => client.destroy())

  const query = (Id: string, MetricName: string, Stat: string, Period = 60): MetricDataQuery => ({
    Id,
    MetricStat: {
      Metric: { Namespace: 'Shop', MetricName, Dimensions: [{ Name: 'Store', Value: 'north' }] },
      Period,
      Stat,
    },
  })

  async function put(MetricName: string, values: [second: number, value: number][]) {
    await client.send(
      new PutMetricDataCommand({
        Namespace: 'Shop',
        MetricData: values.map(([second, Value]) => ({
          MetricName,
          Value,
          Timestamp: at(second),
          Dimensions: [{ Name: 'Store', Value: 'north' }],
        })),
      }),
    )
  }

  it('sums up what was put, for each period that has data', async () => {
    await put('Orders', [
      [0, 1],
      [59, 4],
      [120, 10],
    ])

    const { MetricDataResults } = await client.send(
      new GetMetricDataCommand({
        ...window,
        ScanBy: 'TimestampAscending',
        MetricDataQueries: [
          query('sum', 'Orders', 'Sum'),
          query('average', 'Orders', 'Average'),
          query('most', 'Orders', 'Maximum'),
          query('least', 'Orders', 'Minimum'),
          query('count', 'Orders', 'SampleCount'),
          query('none', 'Nothing', 'Sum'),
        ],
      }),
    )

    expect(MetricDataResults?.map(({ Id, Values, StatusCode }) => [Id, Values, StatusCode])).toEqual([
      ['sum', [5, 10], 'Complete'],
      ['average', [2.5, 10], 'Complete'],
      ['most', [4, 10], 'Complete'],
      ['least', [1, 10], 'Complete'],
      ['count', [2, 1], 'Complete'],
      ['none', [], 'Complete'],
    ])
    expect(MetricDataResults?.[0]?.Timestamps).toEqual([at(0), at(120)])
  })

  it('takes bodies that the SDK compressed, value lists and statistic sets', async () => {
    const Dimensions = [{ Name: 'Store', Value: 'north' }]
    await client.send(
      new PutMetricDataCommand({
        Namespace: 'Shop',
        MetricData: [
          // Over 10 KiB, above which the SDK compresses.
          ...Array.from({ length: 500 }, () => ({
            MetricName: 'Large',
            Value: 1,
            Timestamp: at(0),
            Dimensions,
          })),
          { MetricName: 'Large', Values: [2, 3], Counts: [10, 1], Timestamp: at(0), Dimensions },
          {
            MetricName: 'Large',
            StatisticValues: { SampleCount: 4, Sum: 100, Minimum: 7, Maximum: 60 },
            Timestamp: at(0),
            Dimensions,
          },
        ],
      }),
    )

    const { Datapoints } = await client.send(
      new GetMetricStatisticsCommand({
        ...window,
        Namespace: 'Shop',
        MetricName: 'Large',
        Dimensions,
        Period: 60,
        Statistics: ['Sum', 'SampleCount', 'Maximum'],
      }),
    )
    expect(Datapoints).toMatchObject([{ Sum: 623, SampleCount: 515, Maximum: 60 }])
  })

  it('takes another set of dimensions for another metric', async () => {
    await put('Visits', [[0, 1]])

    const { Datapoints } = await client.send(
      new GetMetricStatisticsCommand({
        ...window,
        Namespace: 'Shop',
        MetricName: 'Visits',
        Period: 60,
        Statistics: ['Sum'],
      }),
    )
    const { Metrics } = await client.send(new ListMetricsCommand({ Namespace: 'Shop', MetricName: 'Visits' }))

    expect(Datapoints).toEqual([])
    expect(Metrics).toEqual([
      { Namespace: 'Shop', MetricName: 'Visits', Dimensions: [{ Name: 'Store', Value: 'north' }] },
    ])
  })

  it('gives long answers in pages', async () => {
    await put(
      'Steps',
      Array.from({ length: 5 }, (_, index) => [index * 60, index]),
    )
    const values: number[] = []
    let NextToken: string | undefined

    do {
      const page = await client.send(
        new GetMetricDataCommand({
          ...window,
          ScanBy: 'TimestampAscending',
          MaxDatapoints: 2,
          NextToken,
          MetricDataQueries: [query('a', 'Steps', 'Sum')],
        }),
      )
      expect(page.MetricDataResults![0]!.Values!.length).toBeLessThanOrEqual(2)
      values.push(...page.MetricDataResults![0]!.Values!)
      NextToken = page.NextToken
    } while (NextToken !== undefined)

    expect(values).toEqual([0, 1, 2, 3, 4])
  })

  it('holds the metrics of the embedded format, per set of dimensions', async () => {
    const line = JSON.stringify({
      _aws: {
        Timestamp: at(0).getTime(),
        CloudWatchMetrics: [
          {
            Namespace: 'Emf',
            Dimensions: [['service'], ['service', 'kind']],
            Metrics: [{ Name: 'Done', Unit: 'Count' }],
          },
        ],
      },
      service: 'shop',
      kind: 'order',
      Done: [1, 2, 3],
    })

    expect(local.metrics.ingestEmf(line, Date.now())).toBe(true)
    expect(local.metrics.ingestEmf('plain text', Date.now())).toBe(false)
    expect(local.metrics.ingestEmf('{"level":"INFO"}', Date.now())).toBe(false)
    for (const Dimensions of [
      [{ Name: 'service', Value: 'shop' }],
      [
        { Name: 'kind', Value: 'order' },
        { Name: 'service', Value: 'shop' },
      ],
    ]) {
      const { Datapoints } = await client.send(
        new GetMetricStatisticsCommand({
          ...window,
          Namespace: 'Emf',
          MetricName: 'Done',
          Dimensions,
          Period: 60,
          Statistics: ['Sum', 'SampleCount'],
        }),
      )
      expect(Datapoints).toMatchObject([{ Sum: 6, SampleCount: 3, Unit: 'Count' }])
    }
  })

  it('refuses what it cannot answer, and names it', async () => {
    const percentile = new GetMetricStatisticsCommand({
      ...window,
      Namespace: 'Shop',
      MetricName: 'Orders',
      Period: 60,
      ExtendedStatistics: ['p99'],
    })
    const expression = new GetMetricDataCommand({
      ...window,
      MetricDataQueries: [{ Id: 'e', Expression: 'SUM(METRICS())' }],
    })
    const backwards = new GetMetricDataCommand({
      StartTime: at(60),
      EndTime: at(0),
      MetricDataQueries: [query('a', 'Orders', 'Sum')],
    })

    await expect(client.send(percentile)).rejects.toThrow('percentiles are not supported')
    await expect(client.send(expression)).rejects.toThrow('the function SUM is not supported here')
    await expect(client.send(backwards)).rejects.toThrow('StartTime must be less')
  })
})
