import {
  DeleteStreamCommand,
  PutRecordCommand,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis'
import { encodeAggregate, MAX_HASH_KEY } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { type TailRecord, tailStream } from '../src/index.js'
import { startClicks, text } from './support/local-stream.js'
import { untilActive } from './support/until-active.js'

const fast = { readIntervalMs: 200 }

async function take(tail: AsyncIterable<TailRecord>, count: number): Promise<TailRecord[]> {
  const records: TailRecord[] = []
  if (count === 0) return records
  for await (const record of tail) {
    records.push(record)
    if (records.length === count) break
  }
  return records
}

const numbered = (from: number, count: number, keys = 10) =>
  Array.from({ length: count }, (_, index) => ({ key: `user-${index % keys}`, value: String(from + index) }))

describe('tailStream', () => {
  it('gives the records that come from now on, of every shard', async () => {
    await using clicks = await startClicks({ shards: 3 })
    await clicks.put(numbered(0, 50))
    const tail = tailStream({ ...clicks.connection, streamName: 'clicks', ...fast })
    await tail.ready()
    await clicks.put(numbered(100, 60, 60))

    const records = await take(tail, 60)

    expect(records.map((record) => Number(text(record.data))).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, index) => 100 + index),
    )
    expect(new Set(records.map((record) => record.shardId)).size).toBe(3)
    expect(records[0]?.arrivalMs).toBeGreaterThan(Date.now() - 60_000)
  })

  it('gives all that the stream holds', async () => {
    await using clicks = await startClicks()
    await clicks.put(numbered(0, 1_200))

    const records = await take(clicks.monitor().followStream({ from: 'TRIM_HORIZON', ...fast }), 1_200)

    expect(new Set(records.map((record) => text(record.data))).size).toBe(1_200)
  })

  it('gives what arrived at a time or later', async () => {
    await using clicks = await startClicks()
    await clicks.put(numbered(0, 10))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const from = new Date()
    await clicks.put(numbered(100, 10))

    const records = await take(clicks.monitor().followStream({ from, ...fast }), 10)

    expect(records.every((record) => Number(text(record.data)) >= 100)).toBe(true)
  })

  it('gives few records at a time where the caller wants it so', async () => {
    await using clicks = await startClicks({ shards: 1 })
    await clicks.put(numbered(0, 6))

    await take(clicks.monitor().followStream({ from: 'TRIM_HORIZON', maxRecordsPerRead: 2, ...fast }), 6)

    expect(clicks.callsTo('GetRecords')).toBe(3)
  })

  it('keeps the order of every key while the stream is split and merged', async () => {
    await using clicks = await startClicks({ shards: 1 })
    const tail = clicks.monitor().followStream(fast)
    await tail.ready()
    const reading = take(tail, 400)
    const reshard = async (count: number) => {
      await clicks.kinesis.send(
        new UpdateShardCountCommand({
          StreamName: 'clicks',
          TargetShardCount: count,
          ScalingType: 'UNIFORM_SCALING',
        }),
      )
      await untilActive(clicks.kinesis, 'clicks')
    }

    await clicks.put(numbered(0, 100))
    await reshard(2)
    await clicks.put(numbered(100, 100))
    await reshard(4)
    await clicks.put(numbered(200, 100))
    await reshard(2)
    await clicks.put(numbered(300, 100))
    const records = await reading

    const all = Array.from({ length: 400 }, (_, index) => index)
    for (let user = 0; user < 10; user++) {
      const read = records.filter((record) => record.partitionKey === `user-${user}`)
      expect(read.map((record) => Number(text(record.data)))).toEqual(
        all.filter((index) => index % 10 === user),
      )
    }
    expect(new Set(records.map((record) => record.shardId)).size).toBeGreaterThan(3)
  })

  it('misses nothing and repeats nothing while reads are throttled, cut off and failing', async () => {
    const faults = ['throttle', 'reset-before', 'error500', 'reset-after'] as const
    let reads = 0
    await using clicks = await startClicks({
      shards: 1,
      faults: ({ operation }) => {
        if (operation !== 'GetRecords') return undefined
        reads += 1
        // Every other read goes wrong, each time in another way.
        return reads % 2 === 0 ? undefined : { kind: faults[Math.floor(reads / 2) % faults.length]! }
      },
    })
    await clicks.put(numbered(0, 40))

    const tail = clicks.monitor().followStream({ from: 'TRIM_HORIZON', maxRecordsPerRead: 5, ...fast })
    const records = await take(tail, 40)

    expect(reads).toBeGreaterThan(8)
    expect(new Set(records.map((record) => text(record.data))).size).toBe(40)
  })

  it('reads the shards of a past resharding parents first', async () => {
    await using clicks = await startClicks({ shards: 1 })
    await clicks.put(numbered(0, 20, 1))
    await clicks.kinesis.send(
      new SplitShardCommand({
        StreamName: 'clicks',
        ShardToSplit: 'shardId-000000000000',
        NewStartingHashKey: ((MAX_HASH_KEY + 1n) / 2n).toString(),
      }),
    )
    await untilActive(clicks.kinesis, 'clicks')
    await clicks.put(numbered(20, 20, 1))

    const records = await take(clicks.monitor().followStream({ from: 'TRIM_HORIZON', ...fast }), 40)

    expect(records.map((record) => Number(text(record.data)))).toEqual(
      Array.from({ length: 40 }, (_, index) => index),
    )
  })

  it('reads a shard once a second where nothing else is asked for', async () => {
    await using clicks = await startClicks({ shards: 1 })
    const tail = clicks.monitor().followStream()
    await tail.ready()
    const first = take(tail, 3)

    // Each record ends a wait of up to a second, so that three of them take two reads more at the least.
    for (const value of ['1', '2', '3']) {
      const reads = clicks.callsTo('GetRecords')
      await clicks.put([{ key: 'a', value }])
      await expect.poll(() => clicks.callsTo('GetRecords'), { timeout: 5_000 }).toBeGreaterThan(reads)
    }
    await first

    const times = clicks.calls.filter((call) => call.operation === 'GetRecords').map((call) => call.atMs)
    const gaps = times.slice(1).map((atMs, index) => atMs - times[index]!)
    // Answers may be noted late on a busy machine, never by half a second.
    for (const gap of gaps) expect(gap).toBeGreaterThan(500)
    expect(gaps.length).toBeGreaterThanOrEqual(2)
  })

  it('takes KPL aggregates apart', async () => {
    await using clicks = await startClicks({ shards: 1 })
    const Data = encodeAggregate([
      { partitionKey: 'ann', data: Buffer.from('1') },
      { partitionKey: 'bob', data: Buffer.from('2') },
    ])
    await clicks.kinesis.send(new PutRecordCommand({ StreamName: 'clicks', PartitionKey: 'a', Data }))

    const members = await take(clicks.monitor().followStream({ from: 'TRIM_HORIZON', ...fast }), 2)
    const options = { from: 'TRIM_HORIZON' as const, deaggregate: false, ...fast }
    const [whole] = await take(clicks.monitor().followStream(options), 1)

    expect(members.map(({ partitionKey, subSequenceNumber }) => [partitionKey, subSequenceNumber])).toEqual([
      ['ann', 0],
      ['bob', 1],
    ])
    expect(whole).toMatchObject({ partitionKey: 'a', subSequenceNumber: undefined })
  })

  it('ends without an error when the signal is given', async () => {
    await using clicks = await startClicks()
    const stop = new AbortController()
    const tail = tailStream({ ...clicks.connection, streamName: 'clicks', signal: stop.signal, ...fast })
    await tail.ready()
    const reading = take(tail, 1)

    stop.abort()

    expect(await reading).toEqual([])
  })

  it('says that the stream was deleted under it', async () => {
    await using clicks = await startClicks()
    const tail = clicks.monitor().followStream(fast)
    await tail.ready()
    const reading = take(tail, 1)

    await clicks.kinesis.send(new DeleteStreamCommand({ StreamName: 'clicks' }))

    await expect(reading).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' })
  })
})
