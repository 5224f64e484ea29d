import {
  CreateStreamCommand,
  EnableEnhancedMonitoringCommand,
  MergeShardsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { MAX_HASH_KEY } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { startClicks } from './support/local-stream.js'
import { untilActive } from './support/until-active.js'

const FIRST = 'shardId-000000000000'
const SECOND = 'shardId-000000000001'

describe('getShardMetrics', () => {
  it('gives every shard its metrics and its part of the key space', async () => {
    await using clicks = await startClicks({ shards: 4 })
    await clicks.kinesis.send(
      new EnableEnhancedMonitoringCommand({ StreamName: 'clicks', ShardLevelMetrics: ['ALL'] }),
    )
    const values = Array.from({ length: 200 }, (_, index) => ({ key: `user-${index}`, value: 'x' }))
    await clicks.put(values)

    const { shards, complete } = await clicks.monitor().getShardMetrics()

    expect(complete).toBe(true)
    expect(shards.map((shard) => [shard.state, shard.keySpaceShare])).toEqual(Array(4).fill(['open', 0.25]))
    expect(shards[0]?.hashKeyRange.startingHashKey).toBe('0')
    expect(shards[3]?.hashKeyRange.endingHashKey).toBe(MAX_HASH_KEY.toString())
    const counts = shards.map((shard) => shard.metrics.incomingRecords?.value ?? 0)
    expect(counts.reduce((total, count) => total + count, 0)).toBe(200)
    expect(Math.min(...counts)).toBeGreaterThan(0)
  })

  it('tells closed shards from open ones through a split and a merge', async () => {
    await using clicks = await startClicks({ shards: 2 })
    const quarter = ((MAX_HASH_KEY + 1n) / 4n).toString()
    await clicks.kinesis.send(
      new SplitShardCommand({ StreamName: 'clicks', ShardToSplit: FIRST, NewStartingHashKey: quarter }),
    )
    await untilActive(clicks.kinesis, 'clicks')
    await clicks.kinesis.send(
      new MergeShardsCommand({
        StreamName: 'clicks',
        ShardToMerge: 'shardId-000000000003',
        AdjacentShardToMerge: SECOND,
      }),
    )
    await untilActive(clicks.kinesis, 'clicks')

    const { shards } = await clicks.monitor().getShardMetrics()
    const open = await clicks.monitor().getShardMetrics({ includeClosed: false })

    expect(
      shards.map(({ shardId, state, keySpaceShare }) => [shardId.slice(-1), state, keySpaceShare]),
    ).toEqual([
      ['2', 'open', 0.25],
      ['4', 'open', 0.75],
      ['0', 'closed', 0.5],
      ['3', 'closed', 0.25],
      ['1', 'closed', 0.5],
    ])
    expect([...(shards[1]?.parentShardIds ?? [])].sort()).toEqual([SECOND, 'shardId-000000000003'])
    expect(open.shards.map((shard) => shard.shardId.slice(-1))).toEqual(['2', '4'])
  })

  it('reads any number of shards, 500 series and 1,000 shards to a call', async () => {
    await using clicks = await startClicks()
    await clicks.kinesis.send(new CreateStreamCommand({ StreamName: 'wide', ShardCount: 1_200 }))
    await untilActive(clicks.kinesis, 'wide')
    const monitor = clicks.monitor({ streamName: 'wide' })

    const { shards } = await monitor.getShardMetrics({ metrics: ['incomingRecords'] })

    expect(shards).toHaveLength(1_200)
    expect(new Set(shards.map((shard) => shard.shardId)).size).toBe(1_200)
    expect(clicks.callsTo('ListShards')).toBe(2)
    expect(clicks.callsTo('GetMetricData')).toBe(3)
  })

  it('says what to switch on where there is nothing to see', async () => {
    await using clicks = await startClicks()
    await clicks.put([{ key: 'ann', value: 'x' }])

    const { problems, complete } = await clicks.monitor().getShardMetrics()

    expect(complete).toBe(true)
    expect(problems.join()).toContain('aws kinesis enable-enhanced-monitoring --stream-name clicks')
  })

  it('refuses a metric that no shard has', async () => {
    await using clicks = await startClicks()

    const refused = clicks.monitor().getShardMetrics({ metrics: ['latency' as 'incomingBytes'] })

    await expect(refused).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'metrics' })
  })
})
