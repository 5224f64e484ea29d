import type { TopologyManifest } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { KinesisMonitor } from '../src/index.js'
import { startClicks } from './support/local-stream.js'

const records = Array.from({ length: 50 }, (_, index) => ({ key: `user-${index}`, value: 'x' }))

function topologyOf(clicks: Awaited<ReturnType<typeof startClicks>>): TopologyManifest {
  return {
    version: 1,
    kind: 'local',
    region: clicks.local.region,
    endpointUrl: clicks.local.url,
    nodes: [
      { id: 'stream', kind: 'stream', name: 'clicks' },
      { id: 'processor', kind: 'function', name: 'clicks-processor' },
    ],
    edges: [{ from: 'stream', to: 'processor', kind: 'reads' }],
  }
}

/** Reads everything that is in the stream, as a consumer that keeps up would have. */
async function consume(monitor: KinesisMonitor, count: number): Promise<void> {
  let seen = 0
  for await (const _ of monitor.followStream({ from: 'TRIM_HORIZON', readIntervalMs: 200 })) {
    seen += 1
    if (seen === count) return
  }
}

describe('checkStreamHealth', () => {
  it('calls a stream healthy whose consumer keeps up, in two calls', async () => {
    await using clicks = await startClicks()
    const monitor = clicks.monitor()
    await clicks.put(records)
    await consume(monitor, records.length)
    clicks.calls.length = 0

    const health = await monitor.checkStreamHealth()

    expect(health).toMatchObject({ overallStatus: 'HEALTHY', issues: [], recommendations: [], findings: [] })
    const described = clicks.calls.find(({ operation }) => operation === 'DescribeStreamSummary')!
    // A read of the consumer that began before may be told of when the consumer has gone.
    const itsOwn = clicks.calls.filter(
      ({ service, number }) => service !== 'kinesis' || number >= described.number,
    )
    expect(itsOwn.map(({ operation }) => operation)).toEqual(['DescribeStreamSummary', 'GetMetricData'])
  })

  it('does not call a stream healthy of which nothing is known', async () => {
    await using clicks = await startClicks()

    const health = await clicks.monitor().checkStreamHealth()

    expect(health).toMatchObject({ overallStatus: 'UNKNOWN', findings: [{ rule: 'no-metrics' }] })
  })

  it('does not call a stream healthy that nobody has read yet', async () => {
    await using clicks = await startClicks()
    await clicks.put(records)

    const health = await clicks.monitor().checkStreamHealth()

    expect(health).toMatchObject({ overallStatus: 'UNKNOWN', findings: [{ rule: 'nobody-reads' }] })
  })

  it('finds throttled writes, and gives a command that reaches the same endpoint', async () => {
    await using clicks = await startClicks({ shards: 1 })
    const monitor = clicks.monitor()
    // Twice what the shard takes in a second, in one request: however slow the machine, half of it is throttled.
    const burst = Array.from({ length: 500 }, () => ({ key: 'one', value: 'x'.repeat(4_096) }))
    await expect(clicks.put(burst)).rejects.toThrow(/records failed/)
    await consume(monitor, 255)

    const { overallStatus, findings, issues, recommendations } = await monitor.checkStreamHealth()

    expect(overallStatus).toBe('CRITICAL')
    expect(findings).toMatchObject([{ rule: 'write-throttled', subject: 'clicks' }])
    expect(issues[0]).toContain('Write throughput exceeded')
    expect(recommendations[0]).toContain(`--endpoint-url ${clicks.local.url}`)
  })

  it('takes the number of consumers from the caller', async () => {
    await using clicks = await startClicks()
    const monitor = clicks.monitor()
    await clicks.put(records)
    await consume(monitor, records.length)

    const { findings } = await monitor.checkStreamHealth({ consumers: 2 })

    expect(findings).toMatchObject([{ rule: 'consumer-lag-volume' }])
    await expect(monitor.checkStreamHealth({ consumers: -1 })).rejects.toMatchObject({ option: 'consumers' })
  })

  it('looks at the functions that the topology names, with no other word of where to look', async () => {
    await using clicks = await startClicks()
    const monitor = new KinesisMonitor({ topology: topologyOf(clicks) })
    await clicks.put(records)
    await consume(monitor, records.length)
    const published = { namespace: 'AWS/Lambda', dimensions: { FunctionName: 'clicks-processor' } }
    const now = { ...published, timestampMs: Date.now() }
    clicks.local.metrics.put({ ...now, name: 'Invocations', value: 4, unit: 'Count' })
    clicks.local.metrics.put({ ...now, name: 'Errors', value: 2, unit: 'Count' })
    clicks.local.metrics.put({ ...now, name: 'IteratorAge', value: 90_000, unit: 'Milliseconds' })

    const { overallStatus, findings } = await monitor.checkStreamHealth()
    monitor.close()

    expect(overallStatus).toBe('CRITICAL')
    expect(findings.map(({ rule, subject }) => [rule, subject])).toEqual([
      ['function-errors', 'clicks-processor'],
      ['consumer-lag-age', 'clicks-processor'],
    ])
  })

  it('says that a stream is missing, and where it looked', async () => {
    await using clicks = await startClicks()
    const monitor = clicks.monitor({ streamName: 'clocks' })

    await expect(monitor.checkStreamHealth()).rejects.toMatchObject({
      code: 'STREAM_NOT_FOUND',
      streamName: 'clocks',
      message: expect.stringContaining('Stream clocks was not found in us-east-1'),
    })
    await expect(monitor.getShardMetrics()).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' })
    await expect(monitor.followStream().next()).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' })
  })
})
