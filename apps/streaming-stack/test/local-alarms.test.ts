import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { streamMetrics } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { startLocal } from '@org/kinesis-local'
import { expect, it } from 'vitest'
import { synthStack } from './cdk/support/stacks.js'

const handlersDirectory = fileURLToPath(new URL('../dist/handlers', import.meta.url))

/** What a deployment would put in place of references: the logical ids do for names. */
function resolved(properties: unknown, topicArn: string): Record<string, unknown> {
  const text = JSON.stringify(properties, (key, value) => {
    if (['AlarmActions', 'OKActions', 'InsufficientDataActions'].includes(key)) return [topicArn]
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    if (typeof value.Ref === 'string') return value.Ref
    return Array.isArray(value['Fn::GetAtt']) ? value['Fn::GetAtt'][0] : value
  })
  return JSON.parse(text) as Record<string, unknown>
}

it('takes every alarm of the stack, fires those whose metrics breach, and tells their topic', async () => {
  const outdir = mkdtempSync(join(tmpdir(), 'local-alarms-'))
  const { template } = synthStack({ handlersDirectory, outdir })
  rmSync(outdir, { recursive: true, force: true })
  const clock = new ManualClock(Date.UTC(2026, 10, 24, 10))
  await using local = await startLocal({ clock, topics: ['alarms'], queues: ['pager'] })
  const topicArn = local.topicArn('alarms')
  await local.sns.call('Subscribe', {
    TopicArn: topicArn,
    Protocol: 'sqs',
    Endpoint: 'arn:aws:sqs:us-east-1:000000000000:pager',
  })
  const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) =>
    resolved(Properties, topicArn),
  )
  for (const alarm of alarms) await local.cloudwatch.call('PutMetricAlarm', alarm)
  const named = (part: string) => alarms.find(({ AlarmName }) => String(AlarmName).includes(part))!
  const dimensionsOf = (alarm: Record<string, unknown>) => {
    const [{ MetricStat }] = (
      Array.isArray(alarm.Metrics)
        ? alarm.Metrics.filter((query) => 'MetricStat' in query)
        : [{ MetricStat: { Metric: alarm } }]
    ) as [{ MetricStat: { Metric: { Dimensions: { Name: string; Value: string }[] } } }]
    return Object.fromEntries(MetricStat.Metric.Dimensions.map(({ Name, Value }) => [Name, Value]))
  }
  const dimensions = dimensionsOf(named('stream-throttled-records'))

  // Five minutes with two throttled records of a hundred, and a consumer that keeps up.
  for (let minute = 0; minute < 5; minute += 1) {
    for (const [{ namespace, name, unit }, value] of [
      [streamMetrics.putRecordsTotalRecords, 100],
      [streamMetrics.putRecordsThrottledRecords, 2],
      [streamMetrics.putRecordsFailedRecords, 0],
      [streamMetrics.iteratorAge, 1_000],
    ] as const) {
      local.metrics.put({ namespace, name, unit, value, dimensions, timestampMs: clock.now() })
    }
    await clock.advance(60_000)
  }

  const { MetricAlarms } = (await local.cloudwatch.call('DescribeAlarms', {})) as {
    MetricAlarms: { AlarmName: string; StateValue: string }[]
  }
  expect(MetricAlarms).toHaveLength(alarms.length)
  const fired = MetricAlarms.filter(({ StateValue }) => StateValue === 'ALARM').map(
    ({ AlarmName }) => AlarmName,
  )
  expect(fired).toEqual([named('stream-throttled-records').AlarmName])
  await expect
    .poll(() => local.queueMessages('pager').map(({ body }) => JSON.parse(body).Subject as string))
    .toContain(`ALARM: "${fired[0]}" in us-east-1`)
})
