import { describe, expect, it } from 'vitest'
import { anEntry } from '../test/entry-fixture.js'
import { hashKeyIn, openShards } from '../test/scripted-transport.js'
import { LaneScheduler } from './lane-scheduler.js'
import { ShardMap } from './shard-map.js'

const limits = { maxEntries: 10, maxBytes: 1_000_000 }

const entryOf = (shard: number, of: number, sizeBytes = 10) =>
  anEntry(sizeBytes, { partitionKey: `shard-${shard}`, explicitHashKey: hashKeyIn(shard, of) })

function aScheduler(shards: number) {
  const lanes = new LaneScheduler()
  lanes.useMap(new ShardMap(openShards(shards)), 0)
  const add = (shard: number, count: number, sizeBytes?: number) => {
    const records = Array.from({ length: count }, () => entryOf(shard, shards, sizeBytes))
    for (const record of records) lanes.add(record, false)
    return records
  }
  const take = (nowMs = 0) => lanes.take(nowMs, limits).map((record) => record.partitionKey)
  return { lanes, add, take }
}

describe('a request', () => {
  it('takes an even share from every lane, and more where others have less', () => {
    const { add, take } = aScheduler(3)
    add(0, 100)
    add(1, 100)
    add(2, 1)

    const taken = take()

    expect(taken.filter((key) => key === 'shard-2')).toHaveLength(1)
    expect(taken.filter((key) => key === 'shard-1').length).toBeGreaterThanOrEqual(4)
    expect(taken).toHaveLength(10)
  })

  it('closes before the record that would be too much, which opens the next one', () => {
    const { lanes, add } = aScheduler(1)
    add(0, 3, 300_000)

    expect(lanes.take(0, { maxEntries: 10, maxBytes: 600_000 })).toHaveLength(2)
    expect(lanes.take(0, { maxEntries: 10, maxBytes: 600_000 })).toHaveLength(1)
    expect(lanes.readyEntries).toBe(0)
  })

  it('keeps the order within a lane', () => {
    const { lanes, add } = aScheduler(1)
    const records = add(0, 15)
    const retried = entryOf(0, 1)
    lanes.add(retried, true)

    expect([...lanes.take(0, limits), ...lanes.take(0, limits)]).toEqual([retried, ...records])
  })
})

describe('a lane at the limit of its shard', () => {
  it('leaves the round, and comes back on the common grid with what it may send by then', () => {
    const { lanes, add } = aScheduler(2)
    add(0, 1_500, 1)
    let sent = 0
    while (lanes.readyEntries > 0) sent += lanes.take(0, limits).length
    expect(sent).toBe(1_000)

    add(1, 1)
    expect(lanes.readyEntries).toBe(1)
    expect(lanes.take(0, limits)).toHaveLength(1)

    expect(lanes.nextWakeMs).toBe(25)
    expect(lanes.wake(24)).toBe(false)
    expect(lanes.wake(25)).toBe(true)
    expect(lanes.readyEntries).toBe(500)
    let next = 0
    while (lanes.readyEntries > 0) next += lanes.take(25, limits).length
    expect(next).toBe(25)
  })

  it('counts what is added to it, or taken out of it, only when it is back', () => {
    const { lanes, add } = aScheduler(1)
    const records = add(0, 1_002, 1)
    while (lanes.readyEntries > 0) lanes.take(0, limits)

    add(0, 3)
    lanes.remove(records[1_000]!)
    expect([lanes.readyEntries, lanes.readyBytes]).toEqual([0, 0])
    lanes.wake(25)
    expect([lanes.readyEntries, lanes.readyBytes]).toEqual([4, 31])
  })
})

it('spreads a request over the lanes by bytes as well', () => {
  const { lanes, add } = aScheduler(4)
  for (let shard = 0; shard < 4; shard++) add(shard, 8, 50_000)

  const taken = lanes.take(0, { maxEntries: 500, maxBytes: 400_000 })

  const perShard = Object.values(Object.groupBy(taken, (entry) => entry.partitionKey))
  expect(perShard.map((entries) => entries!.length)).toEqual([2, 2, 2, 2])
})

describe('a new map', () => {
  it('gives back what waits, to be sorted by the new shards, and leaves the pace of those that stay', () => {
    const { lanes, add } = aScheduler(1)
    add(0, 1_200, 1)
    while (lanes.readyEntries > 0) lanes.take(0, limits)

    const useMap = (map: ShardMap) => {
      for (const entry of lanes.useMap(map, 0)) lanes.add(entry, false)
    }
    useMap(new ShardMap(openShards(1)))
    expect(lanes.take(0, limits)).toHaveLength(0)
    useMap(new ShardMap(openShards(1, 'child-')))
    expect(lanes.readyEntries).toBe(200)
    expect(lanes.take(0, limits)).toHaveLength(10)
  })

  it('with a gap leaves the records of the gap unpaced', () => {
    const { lanes } = aScheduler(2)
    lanes.useMap(new ShardMap(openShards(2).slice(0, 1)), 0)
    lanes.add(entryOf(1, 2), false)

    expect(lanes.take(0, limits)).toHaveLength(1)
  })
})
