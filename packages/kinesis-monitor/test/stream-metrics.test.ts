import { describe, expect, it } from 'vitest'
import { startClicks } from './support/local-stream.js'

const records = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `user-${index}`, value: 'x'.repeat(100) }))

async function take(tail: AsyncIterable<unknown>, count: number): Promise<void> {
  let seen = 0
  for await (const _ of tail) {
    seen += 1
    if (seen === count) return
  }
}

describe('getStreamMetrics', () => {
  it('counts what was written and what was read, in one call', async () => {
    await using clicks = await startClicks()
    const monitor = clicks.monitor()
    await clicks.put(records(40))
    await take(monitor.followStream({ from: 'TRIM_HORIZON' }), 40)

    const { metrics, complete, problems } = await monitor.getStreamMetrics()

    expect(complete).toBe(true)
    expect(problems).toEqual([])
    expect(metrics.incomingRecords).toMatchObject({
      state: 'reported',
      sum: 40,
      metricName: 'IncomingRecords',
    })
    expect(metrics.incomingBytes.sum).toBeGreaterThanOrEqual(4_000)
    expect(metrics.outgoingRecords).toMatchObject({ state: 'reported', sum: 40 })
    expect(metrics.outgoingBytes.sum).toBeGreaterThanOrEqual(4_000)
    expect(metrics.putRecordsSuccessfulRecords.sum).toBe(40)
    expect(metrics.getRecordsSuccess.average).toBe(1)
    expect(metrics.iteratorAge.maximum).toBeGreaterThanOrEqual(0)
    expect(clicks.callsTo('GetMetricData')).toBe(1)
  })

  it('gives sum, average and maximum for each period', async () => {
    await using clicks = await startClicks()
    await clicks.put(records(3))

    const { metrics, startMs, endMs, periodSeconds } = await clicks
      .monitor()
      .getStreamMetrics({ periodMinutes: 2 })

    const [point] = metrics.incomingRecords.datapoints
    expect(point?.sum).toBe(3)
    expect(point?.average).toBeCloseTo((point?.sum ?? 0) / (point?.sampleCount ?? 0))
    expect(point?.maximum).toBeLessThanOrEqual(3)
    expect(point?.timestampMs).toBeGreaterThanOrEqual(startMs)
    expect(point?.timestampMs).toBeLessThan(endMs)
    expect(periodSeconds).toBe(60)
  })

  it('tells what was never published from zero', async () => {
    await using clicks = await startClicks()
    const monitor = clicks.monitor()

    const before = await monitor.getStreamMetrics()
    await clicks.put(records(1))
    const after = await monitor.getStreamMetrics()

    expect(before.metrics.incomingRecords).toMatchObject({ state: 'missing', sum: undefined })
    expect(after.metrics.incomingRecords).toMatchObject({ state: 'reported', sum: 1 })
    expect(after.metrics.putRecordsThrottledRecords.sum).toBe(0)
  })
})
