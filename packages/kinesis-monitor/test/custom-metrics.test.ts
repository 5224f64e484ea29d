import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { describe, expect, it } from 'vitest'
import { startClicks } from './support/local-stream.js'

type Clicks = Awaited<ReturnType<typeof startClicks>>

async function sumOf(clicks: Clicks, name: string, dimensions: Record<string, string> = {}) {
  const now = Date.now()
  const { MetricDataResults } = await clicks.cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(now - 600_000),
      EndTime: new Date(now + 60_000),
      MetricDataQueries: [
        {
          Id: 'sum',
          MetricStat: {
            Metric: {
              Namespace: 'KinesisCustom',
              MetricName: name,
              Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
            },
            Period: 60,
            Stat: 'Sum',
          },
        },
      ],
    }),
  )
  return MetricDataResults?.[0]?.Values?.reduce((total, value) => total + value, 0) ?? 0
}

describe('putCustomMetric', () => {
  it('publishes in the namespace KinesisCustom, with its dimensions', async () => {
    await using clicks = await startClicks()

    await clicks.monitor().putCustomMetric('OrdersShipped', 3, { dimensions: { Stage: 'dev' } })

    expect(await sumOf(clicks, 'OrdersShipped', { Stage: 'dev' })).toBe(3)
    expect(await sumOf(clicks, 'OrdersShipped')).toBe(0)
  })

  it('takes the time of the measurement', async () => {
    await using clicks = await startClicks()

    await clicks.monitor().putCustomMetric('Old', 1, { timestamp: new Date(Date.now() - 3_600_000) })
    await clicks.monitor().putCustomMetric('Recent', 1, { timestamp: new Date(Date.now() - 300_000) })

    expect(await sumOf(clicks, 'Old')).toBe(0)
    expect(await sumOf(clicks, 'Recent')).toBe(1)
  })
})

describe('putCustomMetrics', () => {
  it('publishes all of them, 1,000 to a request', async () => {
    await using clicks = await startClicks()

    await clicks
      .monitor()
      .putCustomMetrics(Array.from({ length: 1_500 }, () => ({ name: 'Orders', value: 2 })))

    expect(clicks.callsTo('PutMetricData')).toBe(2)
    expect(await sumOf(clicks, 'Orders')).toBe(3_000)
  })
})
