import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { batchMetrics, type CustomMetric, publishCustomMetrics } from './custom-metrics.js'
import type { MonitorSource, PublishedMetric } from './monitor-source.js'

const NOW = Date.UTC(2026, 0, 1)
/** Nothing may be sent: a metric that cannot work stops all before the first request. */
const unreachable = {} as MonitorSource

function aMetric(more: Partial<PublishedMetric> = {}): PublishedMetric {
  return { name: 'Orders', value: 1, unit: 'Count', dimensions: {}, timestampMs: NOW, ...more }
}

describe('batchMetrics', () => {
  it('puts 1,000 metrics into a request, and keeps their order', () => {
    const metrics = Array.from({ length: 2_001 }, (_, index) => aMetric({ value: index }))

    const batches = batchMetrics(metrics)

    expect(batches.map((batch) => batch.length)).toEqual([1_000, 1_000, 1])
    expect(batches.flat()).toEqual(metrics)
  })

  it('closes a request before it weighs 1 MB', () => {
    const dimensions = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`dimension-${index}`, 'é'.repeat(1_000)]),
    )

    const batches = batchMetrics(Array.from({ length: 100 }, () => aMetric({ dimensions })))

    expect(batches.length).toBeGreaterThan(1)
    for (const batch of batches) expect(Buffer.byteLength(JSON.stringify(batch))).toBeLessThan(1_000_000)
  })

  it('makes no request of nothing', () => {
    expect(batchMetrics([])).toEqual([])
  })
})

describe('publishCustomMetrics', () => {
  const tooMany = Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`d${index}`, 'x']))

  it.each<[string, CustomMetric]>([
    ['metrics[0].name', { name: '', value: 1 }],
    ['metrics[0].value', { name: 'a', value: Number.NaN }],
    ['metrics[0].value', { name: 'a', value: Infinity }],
    ['metrics[0].dimensions', { name: 'a', value: 1, dimensions: tooMany }],
    ['metrics[0].dimensions', { name: 'a', value: 1, dimensions: { ':a': 'x' } }],
    ['metrics[0].dimensions.Stage', { name: 'a', value: 1, dimensions: { Stage: ' ' } }],
    ['metrics[0].timestamp', { name: 'a', value: 1, timestamp: new Date(NOW - 15 * 86_400_000) }],
    ['metrics[0].timestamp', { name: 'a', value: 1, timestamp: new Date('no date') }],
  ])('refuses %s of %o before anything is sent', async (option, metric) => {
    const refused = publishCustomMetrics(unreachable, [metric], NOW)

    await expect(refused).rejects.toThrow(InvalidOptionError)
    await expect(refused).rejects.toMatchObject({ option })
  })
})
