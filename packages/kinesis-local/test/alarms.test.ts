import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
  GetMetricDataCommand,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch'
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { streamMetrics } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { connection } from './support/clients.js'

const clock = new ManualClock(Date.UTC(2026, 10, 24, 10, 0, 0))
let local: Local
let client: CloudWatchClient
let next = 1

beforeAll(async () => {
  local = await startLocal({ clock, queues: ['pager', 'dead-letters'], topics: ['alarms'] })
  client = new CloudWatchClient(connection(local))
  const sns = new SNSClient(connection(local))
  await sns.send(
    new SubscribeCommand({
      TopicArn: local.topicArn('alarms'),
      Protocol: 'sqs',
      Endpoint: 'arn:aws:sqs:us-east-1:000000000000:pager',
    }),
  )
  sns.destroy()
})
afterAll(async () => {
  client.destroy()
  await local.close()
})

/** An alarm on a stream of its own, unless more is said. */
async function anAlarm(input: Partial<PutMetricAlarmCommandInput> = {}) {
  const stream = `stream-${next++}`
  const AlarmName = `alarm-${stream}`
  const topic = local.topicArn('alarms')
  const ofOneMetric = {
    Namespace: 'AWS/Kinesis',
    MetricName: streamMetrics.iteratorAge.name,
    Dimensions: [{ Name: 'StreamName', Value: stream }],
    Statistic: 'Maximum' as const,
    Period: 60,
  }
  await client.send(
    new PutMetricAlarmCommand({
      AlarmName,
      ...(input.Metrics === undefined ? ofOneMetric : {}),
      EvaluationPeriods: 1,
      Threshold: 900_000,
      ComparisonOperator: 'GreaterThanThreshold',
      AlarmActions: [topic],
      OKActions: [topic],
      ...input,
    }),
  )
  const describe = async () =>
    (await client.send(new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }))).MetricAlarms![0]!
  return { stream, AlarmName, describe, state: async () => (await describe()).StateValue }
}

function put(stream: string, name: string, value: number, namespace = 'AWS/Kinesis') {
  const dimensions = { StreamName: stream }
  local.metrics.put({ namespace, name, dimensions, unit: 'Count', value, timestampMs: clock.now() })
}

const age = (stream: string, ms: number) => put(stream, streamMetrics.iteratorAge.name, ms)

/** What the pager was told of an alarm. */
function told(AlarmName: string) {
  return local
    .queueMessages('pager')
    .map(({ body }) => JSON.parse(body) as { Subject: string; Message: string })
    .map(({ Subject, Message }) => ({ Subject, Message: JSON.parse(Message) }))
    .filter(({ Message }) => Message.AlarmName === AlarmName)
}

describe('an alarm', () => {
  it('fires when its metric breaches long enough, tells its topic, and recovers', async () => {
    const { stream, AlarmName, state, describe } = await anAlarm({
      EvaluationPeriods: 3,
      AlarmDescription: 'far behind',
    })
    expect(await state()).toBe('INSUFFICIENT_DATA')

    const states: unknown[] = []
    for (const ms of [1_000, 950_000, 960_000, 970_000, 5, 5, 5]) {
      age(stream, ms)
      await clock.advance(60_000)
      states.push(await state())
    }

    expect(states).toEqual(['OK', 'OK', 'OK', 'ALARM', 'OK', 'OK', 'OK'])
    await expect
      .poll(() => told(AlarmName).map(({ Message }) => Message.NewStateValue))
      .toEqual(['OK', 'ALARM', 'OK'])
    const { Subject, Message } = told(AlarmName)[1]!
    expect(Subject).toBe(`ALARM: "${AlarmName}" in us-east-1`)
    expect(Message).toMatchObject({
      AlarmName,
      AlarmDescription: 'far behind',
      AWSAccountId: '000000000000',
      Region: 'us-east-1',
      OldStateValue: 'OK',
      NewStateReason: expect.stringMatching(
        /^Threshold Crossed: 3 out of the last 3 datapoints \[970000 .*\] were greater than the threshold \(900000\)/,
      ),
      StateChangeTime: '2026-11-24T10:04:00.000+0000',
      AlarmActions: [local.topicArn('alarms')],
      Trigger: {
        MetricName: 'GetRecords.IteratorAgeMilliseconds',
        Namespace: 'AWS/Kinesis',
        Statistic: 'MAXIMUM',
        Dimensions: [{ name: 'StreamName', value: stream }],
        Period: 60,
        EvaluationPeriods: 3,
        Threshold: 900_000,
        TreatMissingData: 'missing',
      },
    })
    expect((await describe()).StateReason).toMatch(/was not greater than the threshold/)
  })

  it('fires on M of N datapoints', async () => {
    const { stream, state } = await anAlarm({ EvaluationPeriods: 3, DatapointsToAlarm: 2 })
    const states: unknown[] = []
    for (const ms of [950_000, 5, 950_000, 5, 5]) {
      age(stream, ms)
      await clock.advance(60_000)
      states.push(await state())
    }

    // The first has nothing beside it that is fine, but is not old enough for two.
    expect(states).toEqual(['OK', 'OK', 'ALARM', 'OK', 'OK'])
  })

  it('does not fire at the first minute of three, and does when the breach stays the last that was heard', async () => {
    const { stream, state } = await anAlarm({ EvaluationPeriods: 3 })
    age(stream, 950_000)
    const states: unknown[] = []
    for (let minute = 0; minute < 3; minute += 1) {
      await clock.advance(60_000)
      states.push(await state())
    }

    expect(states).toEqual(['OK', 'OK', 'ALARM'])
  })

  it.each([
    [undefined, 'ALARM'],
    ['missing', 'INSUFFICIENT_DATA'],
  ])('ignores missing data of tables, unless it says otherwise (%s)', async (TreatMissingData, after) => {
    const { stream, state } = await anAlarm({ Namespace: 'AWS/DynamoDB', TreatMissingData })
    put(stream, streamMetrics.iteratorAge.name, 950_000, 'AWS/DynamoDB')
    await clock.advance(60_000)
    expect(await state()).toBe('ALARM')

    await clock.advance(10 * 60_000)

    expect(await state()).toBe(after)
  })

  it.each([
    ['missing', 'INSUFFICIENT_DATA'],
    ['ignore', 'ALARM'],
    ['breaching', 'ALARM'],
    ['notBreaching', 'OK'],
  ])('takes missing data as %s', async (TreatMissingData, after) => {
    const { stream, state } = await anAlarm({ TreatMissingData })
    age(stream, 950_000)
    await clock.advance(60_000)
    expect(await state()).toBe('ALARM')

    await clock.advance(10 * 60_000)

    expect(await state()).toBe(after)
  })

  it('computes a share of two metrics, as the stack does, and has no data where there were no records', async () => {
    const share = (stream: string) => {
      const metric = (Id: string, MetricName: string) => ({
        Id,
        ReturnData: false,
        MetricStat: {
          Metric: {
            Namespace: 'AWS/Kinesis',
            MetricName,
            Dimensions: [{ Name: 'StreamName', Value: stream }],
          },
          Period: 300,
          Stat: 'Sum',
        },
      })
      return {
        Threshold: 1,
        TreatMissingData: 'notBreaching',
        Metrics: [
          { Id: 'expr_1', Expression: '100 * part / total', Label: 'Throttled records (%)' },
          metric('part', streamMetrics.putRecordsThrottledRecords.name),
          metric('total', streamMetrics.putRecordsTotalRecords.name),
        ],
      }
    }
    const [few, many, none] = [
      await anAlarm(share('few')),
      await anAlarm(share('many')),
      await anAlarm(share('none')),
    ]
    for (const [stream, throttled] of [
      ['few', 1],
      ['many', 3],
    ] as const) {
      put(stream, streamMetrics.putRecordsThrottledRecords.name, throttled)
      put(stream, streamMetrics.putRecordsTotalRecords.name, 200)
    }

    await clock.advance(60_000)

    expect(await Promise.all([few, many, none].map(({ state }) => state()))).toEqual(['OK', 'ALARM', 'OK'])
    await expect
      .poll(() => told(many.AlarmName).at(-1)?.Message.Trigger.Metrics)
      .toMatchObject([
        { Id: 'expr_1', Expression: '100 * part / total', ReturnData: true },
        { Id: 'part', MetricStat: { Stat: 'Sum', Period: 300 } },
        { Id: 'total' },
      ])
  })

  it('is not needed for the depths of queues to be published, once a minute', async () => {
    await using quiet = await startLocal({ clock, queues: ['quiet'] })
    await quiet.sqs.call('SendMessage', { QueueUrl: quiet.queueUrl('quiet'), MessageBody: 'm' })
    const startMs = clock.now()
    await clock.advance(120_000)

    const answer = (await quiet.cloudwatch.call('GetMetricStatistics', {
      ...{ Namespace: 'AWS/SQS', MetricName: 'ApproximateNumberOfMessagesVisible' },
      ...{ Dimensions: [{ Name: 'QueueName', Value: 'quiet' }], Statistics: ['SampleCount', 'Maximum'] },
      ...{ StartTime: startMs / 1_000, EndTime: clock.now() / 1_000, Period: 60 },
    })) as { Datapoints: unknown[] }
    expect(answer.Datapoints).toMatchObject([
      { SampleCount: 1, Maximum: 1 },
      { SampleCount: 1, Maximum: 1 },
    ])
  })

  it('sees the depth of queues', async () => {
    const { state } = await anAlarm({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: 'dead-letters' }],
      Threshold: 0,
    })
    await clock.advance(60_000)
    expect(await state()).toBe('OK')

    await local.sqs.call('SendMessage', { QueueUrl: local.queueUrl('dead-letters'), MessageBody: 'm' })
    await clock.advance(60_000)

    expect(await state()).toBe('ALARM')
  })

  it('is evaluated every ten seconds where its period is that short', async () => {
    const { stream, state } = await anAlarm({ Period: 10, TreatMissingData: 'notBreaching' })
    expect(await state()).toBe('OK')
    age(stream, 950_000)

    await clock.advance(10_000)

    expect(await state()).toBe('ALARM')
  })

  it('can be set, silenced and deleted, and remembers what happened', async () => {
    const { AlarmName, state } = await anAlarm()
    const set = (StateValue: 'ALARM' | 'OK') =>
      client.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: 'a test' }))

    await set('ALARM')
    expect(await state()).toBe('ALARM')
    await expect.poll(() => told(AlarmName).length).toBe(1)
    await client.send(new DisableAlarmActionsCommand({ AlarmNames: [AlarmName] }))
    await set('OK')
    await client.send(new EnableAlarmActionsCommand({ AlarmNames: [AlarmName] }))
    await set('ALARM')
    await expect.poll(() => told(AlarmName).length).toBe(2)
    expect(told(AlarmName)[0]!.Message.NewStateReason).toBe('a test')

    const { AlarmHistoryItems } = await client.send(
      new DescribeAlarmHistoryCommand({
        AlarmName,
        HistoryItemType: 'StateUpdate',
        ScanBy: 'TimestampAscending',
      }),
    )
    expect(AlarmHistoryItems?.map(({ HistorySummary }) => HistorySummary)).toEqual([
      'Alarm updated from INSUFFICIENT_DATA to ALARM',
      'Alarm updated from ALARM to OK',
      'Alarm updated from OK to ALARM',
    ])
    await client.send(new DeleteAlarmsCommand({ AlarmNames: [AlarmName] }))
    await expect(set('OK')).rejects.toMatchObject({ name: 'ResourceNotFound' })
  })

  it('goes on where its topic is gone, and says so', async () => {
    const { AlarmName } = await anAlarm({ AlarmActions: ['arn:aws:sns:us-east-1:000000000000:nobody'] })

    await client.send(new SetAlarmStateCommand({ AlarmName, StateValue: 'ALARM', StateReason: 'a test' }))

    await expect
      .poll(async () => {
        const input = { AlarmName, HistoryItemType: 'Action' as const }
        const { AlarmHistoryItems } = await client.send(new DescribeAlarmHistoryCommand(input))
        return AlarmHistoryItems?.map(({ HistorySummary }) => HistorySummary)
      })
      .toEqual([expect.stringContaining('Topic does not exist')])
  })

  it('that cannot be evaluated says so, and the others are evaluated all the same', async () => {
    const Metric = { Namespace: 'N', MetricName: 'm' }
    // Each refers to the next through sixty signs: deeper together than any stack.
    const chain = Array.from({ length: 499 }, (_, index) => ({
      Id: `e${index}`,
      Expression: `${'-'.repeat(60)}e${index + 1}`,
      ReturnData: index === 0,
    }))
    const MetricStat = { Metric, Period: 60, Stat: 'Sum' }
    const deep = await anAlarm({ Metrics: [...chain, { Id: 'e499', MetricStat, ReturnData: false }] })
    const { stream, state } = await anAlarm()
    age(stream, 1_000_000)

    await clock.advance(60_000)

    expect((await deep.describe()).StateReason).toMatch(/^The alarm cannot be evaluated: /)
    expect(await state()).toBe('ALARM')
  })

  it('on a band of anomalies is kept, and says that it is not evaluated', async () => {
    const { describe } = await anAlarm({
      ComparisonOperator: 'GreaterThanUpperThreshold',
      Threshold: undefined,
      ThresholdMetricId: 'band',
      Metrics: [
        {
          Id: 'm1',
          ReturnData: true,
          MetricStat: {
            Metric: { Namespace: 'AWS/Kinesis', MetricName: 'IncomingRecords' },
            Period: 300,
            Stat: 'Sum',
          },
        },
        { Id: 'band', Expression: 'ANOMALY_DETECTION_BAND(m1, 2)', ReturnData: true },
      ],
    })

    await clock.advance(60_000)

    expect(await describe()).toMatchObject({
      StateValue: 'INSUFFICIENT_DATA',
      StateReason: 'Anomaly detection bands are not computed here.',
    })
  })

  it.each([
    ['no threshold', { Threshold: undefined }, /Threshold is required/],
    [
      'an operator that is none',
      { ComparisonOperator: 'Above' as 'GreaterThanThreshold' },
      /ComparisonOperator/,
    ],
    ['more datapoints than periods', { DatapointsToAlarm: 2 }, /DatapointsToAlarm/],
    ['more than a day', { Period: 600, EvaluationPeriods: 200 }, /more than a day/],
    ['a percentile', { Statistic: undefined, ExtendedStatistic: 'p99' }, /"p99" is not supported here/],
    ['a period that is none', { Period: 7 }, /Period/],
    ['a treatment that is none', { TreatMissingData: 'hope' }, /TreatMissingData/],
    ['an action that is none', { AlarmActions: ['call me'] }, /AlarmActions/],
    [
      'an expression that is none',
      { Metrics: [{ Id: 'e', Expression: 'SEARCH(1)' }] },
      /SEARCH is not supported here/,
    ],
    [
      'a circle',
      {
        Metrics: [
          { Id: 'e', Expression: 'f' },
          { Id: 'f', Expression: 'e', ReturnData: false },
        ],
      },
      /refers to itself/,
    ],
    ['a metric that is not there', { Metrics: [{ Id: 'e', Expression: 'f' }] }, /there is no metric f/],
  ])('with %s is refused, and the reason is said', async (_, input, reason) => {
    await expect(anAlarm(input as Partial<PutMetricAlarmCommandInput>)).rejects.toThrow(reason)
  })
})

describe('GetMetricData', () => {
  it('computes expressions', async () => {
    const start = new Date(clock.now())
    put('math', 'IncomingRecords', 30)
    put('math', 'IncomingBytes', 600)
    await clock.advance(60_000)
    put('math', 'IncomingBytes', 100)
    await clock.advance(60_000)
    const metric = (Id: string, MetricName: string) => ({
      Id,
      ReturnData: false,
      MetricStat: {
        Metric: { Namespace: 'AWS/Kinesis', MetricName, Dimensions: [{ Name: 'StreamName', Value: 'math' }] },
        Period: 60,
        Stat: 'Sum',
      },
    })

    const { MetricDataResults } = await client.send(
      new GetMetricDataCommand({
        StartTime: start,
        EndTime: new Date(clock.now()),
        ScanBy: 'TimestampAscending',
        MetricDataQueries: [
          metric('records', 'IncomingRecords'),
          metric('bytes', 'IncomingBytes'),
          { Id: 'size', Expression: 'bytes / records', Label: 'Bytes of a record' },
          { Id: 'filled', Expression: 'bytes / FILL(records, 1)' },
        ],
      }),
    )

    expect(MetricDataResults?.map(({ Id, Label, Values }) => [Id, Label, Values])).toEqual([
      ['size', 'Bytes of a record', [20]],
      ['filled', 'filled', [20, 100]],
    ])
  })
})
