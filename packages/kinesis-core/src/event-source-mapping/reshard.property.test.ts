import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeAggregate } from '../aggregated-record/encode-aggregate.js'
import { MAX_HASH_KEY, partitionKeyHash } from '../hash-key.js'
import { seededRandom } from '../random.js'
import { deaggregate } from './deaggregate.js'
import type { InvokeEffect, MappingEffect } from './mapping-effects.js'
import { START_MS } from './mapping-fixture.js'
import { type MappingSettings, resolveMappingSettings } from './mapping-settings.js'
import { ShardMapping } from './shard-mapping.js'
import { planShards, type ShardStatus } from './shard-order.js'
import type { ShardRecord } from './shard-record.js'

interface Shard {
  shardId: string
  parents: string[]
  startingHashKey: bigint
  endingHashKey: bigint
  isClosed: boolean
  log: TestRecord[]
}

type TestRecord = ShardRecord & { data: Uint8Array }

/** A stream whose shards are split and merged while records are put, one key after the other. */
function aStream() {
  const shards: Shard[] = []
  let sequence = 0
  const add = (startingHashKey: bigint, endingHashKey: bigint, parents: string[]) =>
    shards.push({
      shardId: `shard-${shards.length}`,
      parents,
      startingHashKey,
      endingHashKey,
      isClosed: false,
      log: [],
    })
  add(0n, MAX_HASH_KEY, [])
  const open = () => shards.filter((shard) => !shard.isClosed)
  return {
    shards,
    put(partitionKey: string, data: Uint8Array) {
      const hash = partitionKeyHash(partitionKey)
      const shard = open().find((of) => of.startingHashKey <= hash && hash <= of.endingHashKey)!
      const sequenceNumber = String(1_000_000 + sequence++)
      shard.log.push({ partitionKey, sequenceNumber, data, arrivalMs: START_MS, payloadBytes: 100 })
    },
    split(which: number) {
      const shard = open()[which % open().length]!
      const middle = (shard.startingHashKey + shard.endingHashKey) / 2n
      shard.isClosed = true
      add(shard.startingHashKey, middle, [shard.shardId])
      add(middle + 1n, shard.endingHashKey, [shard.shardId])
    },
    merge(which: number) {
      const left = open()[which % open().length]!
      const right = open().find((other) => other.startingHashKey === left.endingHashKey + 1n)
      if (right === undefined) return
      left.isClosed = right.isClosed = true
      add(left.startingHashKey, right.endingHashKey, [left.shardId, right.shardId])
    },
  }
}

interface Put {
  key: string
  index: number
}

/**
 * Puts, reshards, reads and invokes in an order drawn from a seed, with failures of all kinds, as a host would: readers by `planShards`, a
 * machine for each shard. Returns what became of every put, in the order in which it was settled.
 */
function simulate(seed: number, count: number, settings: MappingSettings, aggregated: boolean) {
  const random = seededRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const resolved = resolveMappingSettings(settings)
  const stream = aStream()
  const statuses = new Map<string, ShardStatus>()
  const readers = new Map<string, { machine: ShardMapping<TestRecord>; read: number; ended: boolean }>()
  const outside: { shardId: string; effect: MappingEffect<TestRecord> & { kind: 'invoke' | 'discard' } }[] =
    []
  const wakes = new Map<string, number>()
  const settled: Put[] = []
  const discarded: Put[] = []
  const filtered: Put[] = []
  const invokedLater: Put[] = []
  let nowMs = START_MS
  let index = 0

  const putOf = ({ partitionKey, data }: TestRecord): Put => ({
    key: partitionKey,
    index: (JSON.parse(Buffer.from(data).toString()) as { index: number }).index,
  })
  const isDone = ({ index: of }: Put) => [...settled, ...discarded].some((done) => done.index === of)

  const perform = (shardId: string, effects: MappingEffect<TestRecord>[]) => {
    wakes.delete(shardId)
    for (const effect of effects) {
      if (effect.kind === 'wake') wakes.set(shardId, effect.atMs)
      else if (effect.kind !== 'checkpoint') {
        if (effect.kind === 'invoke') invokedLater.push(...effect.batch.records.map(putOf).filter(isDone))
        outside.push({ shardId, effect })
      }
    }
    const { machine } = readers.get(shardId)!
    if (machine.isFinished) statuses.set(shardId, 'done')
  }
  const discover = () => {
    const listed = stream.shards.map(
      ({ shardId, parents: [parentShardId, adjacentParentShardId], isClosed }) => ({
        shardId,
        parentShardId,
        adjacentParentShardId,
        isClosed,
      }),
    )
    for (const { shardId } of planShards(listed, statuses, 'TRIM_HORIZON').start) {
      statuses.set(shardId, 'reading')
      const machine = new ShardMapping<TestRecord>(resolved, seededRandom(seed + 1))
      readers.set(shardId, { machine, read: 0, ended: false })
    }
  }
  const readSome = () => {
    const reading = [...readers].filter(([, reader]) => !reader.ended)
    const [shardId, reader] = reading[below(reading.length)] ?? []
    if (shardId === undefined || reader === undefined) return
    const shard = stream.shards.find((of) => of.shardId === shardId)!
    const page = shard.log.slice(reader.read, reader.read + 1 + below(10))
    reader.read += page.length
    const members = aggregated ? page.flatMap((record) => deaggregate(record, shard).members) : page
    if (settings.filters !== undefined) {
      filtered.push(...members.map(putOf).filter(({ index: of }) => of % 2 === 1))
    }
    if (members.length > 0) perform(shardId, reader.machine.offer(members, nowMs))
    if (shard.isClosed && reader.read === shard.log.length) {
      reader.ended = true
      perform(shardId, reader.machine.end(nowMs))
    }
  }
  const settleOne = () => {
    const [{ shardId, effect } = { shardId: '', effect: undefined }] = outside.splice(
      below(outside.length),
      1,
    )
    if (effect === undefined) return
    const { machine } = readers.get(shardId)!
    if (effect.kind === 'discard') {
      discarded.push(...effect.batch.records.map(putOf))
      return perform(shardId, machine.discarded(effect.id, nowMs))
    }
    const { outcome, upTo } = answer(effect, random, settings.reportBatchItemFailures ?? false)
    settled.push(...effect.batch.records.slice(0, upTo).map(putOf))
    perform(shardId, machine.settle(effect.id, outcome, nowMs))
  }

  const isOver = () =>
    index === count &&
    [...statuses.values()].every((status) => status === 'done') &&
    statuses.size === stream.shards.length
  for (let steps = 0; !isOver(); steps += 1) {
    if (steps > 200_000) throw new Error('the mapping does not come to an end')
    const choice = random()
    if (choice < 0.2 && index < count) {
      const partitionKey = `key-${below(8)}`
      const members = Array.from({ length: aggregated ? 1 + below(3) : 1 }, () => ({
        partitionKey,
        data: Buffer.from(JSON.stringify({ index: index++, wanted: (index - 1) % 2 === 0 })),
      }))
      stream.put(partitionKey, aggregated ? encodeAggregate(members) : members[0]!.data)
      if (index >= count) {
        count = index
        // The last of its shards are closed, so that the run has an end.
        for (const shard of stream.shards) shard.isClosed = true
      }
    } else if (choice < 0.23 && index < count) stream.split(below(100))
    else if (choice < 0.25 && index < count) stream.merge(below(100))
    else if (choice < 0.35) discover()
    else if (choice < 0.6) readSome()
    else if (choice < 0.9 && outside.length > 0) settleOne()
    else if (wakes.size > 0) {
      nowMs = Math.max(nowMs, Math.min(...wakes.values()))
      for (const [shardId, atMs] of [...wakes]) {
        if (atMs <= nowMs) perform(shardId, readers.get(shardId)!.machine.tick(nowMs))
      }
    }
  }
  return { count, settled, discarded, filtered, invokedLater }
}

function answer({ batch: { records } }: InvokeEffect<TestRecord>, random: () => number, reports: boolean) {
  const draw = random()
  if (draw < 0.6) return { outcome: { ok: true as const, payload: null }, upTo: records.length }
  if (draw < 0.7) return { outcome: { ok: false as const, invoked: false }, upTo: 0 }
  if (draw < 0.85 || !reports) return { outcome: { ok: false as const }, upTo: 0 }
  const failed = records[Math.floor(random() * records.length)]!
  return {
    outcome: {
      ok: true as const,
      payload: { batchItemFailures: [{ itemIdentifier: failed.sequenceNumber }] },
    },
    // Members of one aggregate share its number, and fail together.
    upTo: records.findIndex(({ sequenceNumber }) => sequenceNumber === failed.sequenceNumber),
  }
}

const anyRun = fc.record({
  seed: fc.nat(),
  count: fc.integer({ min: 1, max: 80 }),
  aggregated: fc.boolean(),
  settings: fc.record({
    batchSize: fc.integer({ min: 1, max: 10 }),
    parallelizationFactor: fc.integer({ min: 1, max: 4 }),
    maximumRetryAttempts: fc.constantFrom(-1, 0, 3),
    maximumRecordAgeMs: fc.constantFrom(-1, 30_000),
    bisectBatchOnFunctionError: fc.boolean(),
    reportBatchItemFailures: fc.boolean(),
    partialProgressResetsRetries: fc.boolean(),
  }),
  filters: fc.constantFrom(undefined, [{ data: { wanted: [true] } }]),
})
const run = ({
  seed,
  count,
  settings,
  filters,
  aggregated,
}: typeof anyRun extends fc.Arbitrary<infer T> ? T : never) =>
  simulate(seed, count, filters === undefined ? settings : { ...settings, filters }, aggregated)

describe('while shards are split and merged, and whatever fails', () => {
  it('every record is resolved, filtered out or in the failure destination, once, and none is invoked again after that', () => {
    fc.assert(
      fc.property(anyRun, (options) => {
        const { count, settled, discarded, filtered, invokedLater } = run(options)

        const all = [...settled, ...discarded, ...filtered].map(({ index }) => index)
        expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index))
        expect(invokedLater).toEqual([])
        const { maximumRetryAttempts, maximumRecordAgeMs } = options.settings
        if (maximumRetryAttempts === -1 && maximumRecordAgeMs === -1) expect(discarded).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('records of one partition key are resolved in the order in which they were put', () => {
    fc.assert(
      fc.property(anyRun, (options) => {
        const lastOf = new Map<string, number>()
        for (const { key, index } of run(options).settled) {
          expect(index).toBeGreaterThan(lastOf.get(key) ?? -1)
          lastOf.set(key, index)
        }
      }),
      { numRuns: 300 },
    )
  })
})
