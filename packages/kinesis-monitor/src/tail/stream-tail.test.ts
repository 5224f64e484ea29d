import { StreamingError } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { aRecord, aShard, ScriptedStream } from '../../test/support/scripted-stream.js'
import { ServiceRequestError, StreamNotFoundError, ThrottledError } from '../monitor-errors.js'
import { StreamTail } from './stream-tail.js'
import { resolveTailOptions, type TailOptions } from './tail-options.js'

const tails: StreamTail[] = []
afterEach(() => {
  for (const tail of tails.splice(0)) tail.close()
})

function aTail(options: TailOptions = {}) {
  const clock = new ManualClock()
  const stream = new ScriptedStream(() => clock.now())
  let closed = 0
  const tail = new StreamTail('clicks', resolveTailOptions(options, clock.now()), {
    source: stream,
    clock,
    random: () => 0.999_999,
    onClose: () => {
      closed += 1
    },
  })
  tails.push(tail)
  return { tail, stream, clock, startMs: clock.now(), closed: () => closed }
}

/** Everything that the tail gives now. The last `next()` stays open, so this is a test's last look. */
async function drain(tail: StreamTail, clock: ManualClock): Promise<string[]> {
  const sequence: string[] = []
  for (;;) {
    const next = tail.next()
    const idle = clock.advance(0).then(() => 'idle' as const)
    const result = await Promise.race([next, idle])
    if (result === 'idle' || result.done) return sequence
    sequence.push(result.value.sequenceNumber)
  }
}

const throttled = new ThrottledError('kinesis:GetRecords')
const broken = new StreamingError('connection broke', { code: 'ENDPOINT_UNREACHABLE', retryable: true })
const expired = new ServiceRequestError('kinesis:GetRecords', 'ExpiredIteratorException', 'too old', false)
const notFound = new StreamNotFoundError('clicks', '')

describe('the pace of a tail', () => {
  it('reads each shard once per interval, and no more', async () => {
    const { tail, stream, clock, startMs } = aTail()
    stream.answers('a').answers('b')

    await tail.ready()
    await clock.advance(3_500)

    const times = (shardId: string) =>
      stream.reads.filter((read) => read.shardId === shardId).map((read) => read.atMs - startMs)
    expect(times('a')).toEqual([0, 1_000, 2_000, 3_000])
    expect(times('b')).toEqual([0, 1_000, 2_000, 3_000])
    expect(tail.stats()).toMatchObject({ shards: 2, reads: 8 })
  })

  it('takes the interval that the caller sets', async () => {
    const { tail, stream, clock } = aTail({ readIntervalMs: 200 })
    stream.answers('a')

    await tail.ready()
    await clock.advance(900)

    expect(stream.reads).toHaveLength(5)
  })

  it('has no more reads under way than the caller allows, and starves no shard', async () => {
    const { tail, stream, clock } = aTail({ maxConcurrentReads: 2 })
    for (let index = 0; index < 10; index++) stream.answers(`shard-${index}`)

    await tail.ready()
    await clock.advance(500)

    expect(stream.maxInFlight).toBe(2)
    expect(new Set(stream.reads.map((read) => read.shardId)).size).toBe(10)
  })

  it('stops reading while the caller is behind, and goes on when it has caught up', async () => {
    const { tail, stream, clock } = aTail({ maxBufferedBytes: 1_000 })
    const big = 'x'.repeat(600)
    stream.answers('a', { records: [aRecord('1', big), aRecord('2', big)] }, { records: [aRecord('3')] })

    await tail.ready()
    await clock.advance(5_000)
    expect(stream.reads).toHaveLength(1)
    const first = await tail.next()
    await clock.advance(0)

    expect(first.value?.sequenceNumber).toBe('1')
    expect(stream.reads).toHaveLength(2)
  })
})

describe('a tail through a resharding', () => {
  it('reads the children after their parent', async () => {
    const { tail, stream, clock } = aTail({ from: 'TRIM_HORIZON' })
    stream
      .answers('parent', { records: [aRecord('1')] }, { records: [aRecord('2')], nextIterator: undefined })
      .answers('child', { records: [aRecord('3')] })
    stream.shards = [aShard('child', { parentShardIds: ['parent'] }), aShard('parent', { state: 'closed' })]

    await tail.ready()
    await clock.advance(1_500)

    expect(await drain(tail, clock)).toEqual(['1', '2', '3'])
  })

  it('follows the children that a closing shard names, from their beginning', async () => {
    const { tail, stream, clock } = aTail()
    const childShards = [{ shardId: 'child', parentShardIds: ['parent'] }]
    stream.answers('parent', { nextIterator: undefined, childShards })

    await tail.ready()
    await clock.advance(100)

    expect(stream.opened).toEqual([
      { shardId: 'parent', position: { type: 'LATEST' } },
      { shardId: 'child', position: { type: 'TRIM_HORIZON' } },
    ])
    expect(stream.lists).toHaveLength(1)
  })

  it('asks for the children until the service names them', async () => {
    const { tail, stream, clock, startMs } = aTail()
    stream.answers('parent', { nextIterator: undefined })

    await tail.ready()
    await clock.advance(1_500)
    stream.shards = [...stream.shards, aShard('child', { parentShardIds: ['parent'] })]
    stream.script.set('child', [{ records: [aRecord('7')] }])
    await clock.advance(1_000)

    expect(await drain(tail, clock)).toEqual(['7'])
    expect(stream.lists.map((atMs) => atMs - startMs)).toEqual([0, 0, 1_000, 2_000])
  })

  it('begins a merged shard after both of its parents', async () => {
    const { tail, stream, clock } = aTail({ from: 'TRIM_HORIZON' })
    const childShards = [{ shardId: 'merged', parentShardIds: ['a', 'b'] }]
    stream
      .answers('a', { nextIterator: undefined, childShards })
      .answers('b', {}, { records: [aRecord('2')], nextIterator: undefined, childShards })

    await tail.ready()
    await clock.advance(500)
    expect(stream.opened.map((one) => one.shardId)).toEqual(['a', 'b'])
    await clock.advance(1_000)

    expect(stream.opened.map((one) => one.shardId)).toEqual(['a', 'b', 'merged'])
  })

  it('wants nothing of closed shards where it begins at the tip', async () => {
    const { tail, stream } = aTail()
    stream.shards = [aShard('old', { state: 'closed' }), aShard('new', { parentShardIds: ['old'] })]

    await tail.ready()

    expect(stream.opened).toEqual([{ shardId: 'new', position: { type: 'LATEST' } }])
  })

  it('holds to the time that the caller asked for in the children too', async () => {
    const from = new Date(Date.UTC(2025, 0, 1))
    const { tail, stream, clock } = aTail({ from })
    const childShards = [{ shardId: 'child', parentShardIds: ['parent'] }]
    stream.answers('parent', { nextIterator: undefined, childShards })

    await tail.ready()
    await clock.advance(100)

    const position = { type: 'AT_TIMESTAMP', timestampMs: from.getTime() }
    expect(stream.opened).toEqual([
      { shardId: 'parent', position },
      { shardId: 'child', position },
    ])
  })

  it('passes over a shard that expires while it waits for its turn', async () => {
    const { tail, stream, clock } = aTail({ from: 'TRIM_HORIZON' })
    stream.answers('old', notFound).answers('new', { records: [aRecord('5')] })
    stream.shards = [aShard('old', { state: 'closed' }), aShard('new', { parentShardIds: ['old'] })]

    await tail.ready()
    stream.shards = stream.shards.slice(1)
    await clock.advance(100)

    expect(await drain(tail, clock)).toEqual(['5'])
  })
})

describe('a tail whose reads fail', () => {
  it('waits longer when it is throttled, goes on where it stopped, and never gives up', async () => {
    const { tail, stream, clock } = aTail({ maxOutageMs: 0 })
    stream.answers('a', ...Array.from({ length: 20 }, () => throttled), { records: [aRecord('1')] })

    await tail.ready()
    await clock.advance(20_000)
    expect(stream.reads.length).toBeLessThan(10)
    await clock.advance(300_000)

    expect(await drain(tail, clock)).toEqual(['1'])
    expect(stream.opened).toHaveLength(1)
  })

  it('renews an iterator that has expired, after the last record that it read', async () => {
    const { tail, stream, clock } = aTail()
    stream.answers('a', { records: [aRecord('1')] }, expired, { records: [aRecord('2')] })

    await tail.ready()
    await clock.advance(2_500)

    expect(await drain(tail, clock)).toEqual(['1', '2'])
    expect(stream.opened[1]?.position).toEqual({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '1' })
  })

  it('renews an iterator at the tip from the time at which it began, so that nothing is skipped', async () => {
    const { tail, stream, clock, startMs } = aTail()
    stream.answers('a', expired)

    await tail.ready()
    await clock.advance(1_500)

    expect(stream.opened[1]?.position).toEqual({ type: 'AT_TIMESTAMP', timestampMs: startMs })
  })

  it('bears an outage for as long as the caller says', async () => {
    const { tail, stream, clock } = aTail({ maxOutageMs: 10_000 })
    stream.answers('a', { records: [aRecord('1')] }, ...Array.from({ length: 100 }, () => broken))
    await tail.ready()
    const seen: string[] = []
    const reading = (async () => {
      for await (const record of tail) seen.push(record.sequenceNumber)
    })().catch((error) => error)

    await clock.advance(9_000)
    expect(stream.reads.length).toBeGreaterThan(3)
    await clock.advance(30_000)

    expect(await reading).toBe(broken)
    expect(seen).toEqual(['1'])
  })

  it('forgets an outage that has passed', async () => {
    const { tail, stream, clock } = aTail({ maxOutageMs: 1_500 })
    stream.answers('a', broken, {}, broken, {}, broken, { records: [aRecord('1')] })

    await tail.ready()
    await clock.advance(20_000)

    expect(await drain(tail, clock)).toEqual(['1'])
  })

  it('says that the stream is gone', async () => {
    const { tail, stream } = aTail({ from: 'TRIM_HORIZON' })
    stream.answers('a', notFound)

    await expect(tail.next()).rejects.toBe(notFound)
  })

  it('is over after it has failed', async () => {
    const { tail, stream, closed } = aTail()
    stream.answers('a', new StreamingError('no', { code: 'PERMISSION_DENIED', retryable: false }))

    await expect(tail.next()).rejects.toThrow('no')

    expect(await tail.next()).toEqual({ done: true, value: undefined })
    expect(closed()).toBe(1)
  })
})

describe('the end of a tail', () => {
  it('comes with the signal, without an error, also to a caller that waits', async () => {
    const stop = new AbortController()
    const { tail, stream, clock, closed } = aTail({ signal: stop.signal })
    stream.answers('a')
    const waiting = tail.next()
    await clock.advance(1_500)

    stop.abort()

    expect(await waiting).toEqual({ done: true, value: undefined })
    const reads = stream.reads.length
    await clock.advance(5_000)
    expect(stream.reads).toHaveLength(reads)
    expect(closed()).toBe(1)
  })

  it('is there at once where the signal has been given before', async () => {
    const { tail, stream } = aTail({ signal: AbortSignal.abort() })
    stream.answers('a')

    expect(await tail.next()).toEqual({ done: true, value: undefined })
    expect(stream.lists).toEqual([])
  })

  it('comes when the loop is left', async () => {
    const { tail, stream, clock, closed } = aTail({ from: 'TRIM_HORIZON' })
    stream.answers('a', { records: [aRecord('1'), aRecord('2')] })

    for await (const record of tail) {
      expect(record.sequenceNumber).toBe('1')
      break
    }

    expect(closed()).toBe(1)
    expect(await tail.next()).toEqual({ done: true, value: undefined })
    await clock.advance(5_000)
    expect(stream.reads).toHaveLength(1)
  })

  it('reads nothing before somebody asks', async () => {
    const { stream, clock } = aTail()
    stream.answers('a')

    await clock.advance(5_000)

    expect(stream.lists).toEqual([])
  })
})
