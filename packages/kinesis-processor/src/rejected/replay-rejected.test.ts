import { InvalidOptionError } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { aRejectedRecord } from './rejected-fixture.js'
import type { RejectedEntry, RejectedSource } from './rejected-source.js'
import { replayRejected } from './replay-rejected.js'

/** As a source of the caller's own. */
function listSource(entries: readonly RejectedEntry[]): RejectedSource & { releases: number } {
  return {
    releases: 0,
    async *entries() {
      yield* entries
    },
    remove: async (removed) => removed.map(() => ({ removed: true })),
    async release() {
      this.releases++
    },
  }
}

const entries = (count: number, keys = count): RejectedEntry[] =>
  Array.from({ length: count }, (_, n) => ({
    place: `${n}`,
    record: aRejectedRecord({ sequenceNumber: `${n}`, partitionKey: `${n % keys}` }),
    error: undefined,
  }))

describe('a replay', () => {
  it('puts records at an even rate, whatever the number of keys, and catches up with no more than a moment', async () => {
    const clock = new ManualClock()
    const times: number[] = []
    const startMs = clock.now()
    const put = async () => {
      times.push(clock.now() - startMs)
      if (times.length === 10) await new Promise<void>((resolve) => clock.schedule(2_000, resolve))
    }

    const replay = replayRejected({
      source: listSource(entries(30)),
      destination: { put },
      maxRecordsPerSecond: 20,
      maxConcurrency: 1,
      clock,
    })
    await clock.advance(10_000)

    expect(await replay).toMatchObject({ put: 30 })
    const before = times.slice(0, 10)
    expect(before).toEqual(before.map((_, n) => Math.max(0, (n - 2) * 50)))
    const after = times.slice(10).map((ms) => ms - times[10]!)
    expect(after).toEqual(after.map((_, n) => Math.max(0, (n - 2) * 50)))
  })

  it('puts 100 records a second unless told otherwise', async () => {
    const clock = new ManualClock()
    let puts = 0
    const replay = replayRejected({
      source: listSource(entries(500)),
      destination: { put: async () => puts++ },
      clock,
    })

    await clock.advance(2_000)
    expect(puts).toBeGreaterThanOrEqual(200)
    expect(puts).toBeLessThanOrEqual(212)
    await clock.advance(5_000)

    expect(await replay).toMatchObject({ put: 500 })
  })

  it('waits for its turn no longer when it is stopped', async () => {
    const controller = new AbortController()
    const source = listSource(entries(10))

    const replay = replayRejected({
      source,
      destination: { put: async () => setTimeout(() => controller.abort(), 50) },
      maxRecordsPerSecond: 1,
      signal: controller.signal,
    })

    expect(await replay).toMatchObject({ put: 1, left: 9, stopped: 'aborted' })
    expect(source.releases).toBe(1)
  })

  it('puts as many keys at once as it is told to, and one record of a key', async () => {
    const open = new Map<string, number>()
    let most = 0
    const put = async ({ partitionKey }: { partitionKey: string }) => {
      open.set(partitionKey, (open.get(partitionKey) ?? 0) + 1)
      expect(open.get(partitionKey)).toBe(1)
      most = Math.max(most, open.size)
      await new Promise((resolve) => setTimeout(resolve, 1))
      open.delete(partitionKey)
    }
    const options = { destination: { put }, maxRecordsPerSecond: 1_000_000 }

    await replayRejected({ source: listSource(entries(60, 20)), maxConcurrency: 3, ...options })
    expect(most).toBe(3)
    most = 0
    await replayRejected({ source: listSource(entries(120, 60)), ...options })
    expect(most).toBe(32)
  })

  it('ends with what onOutcome throws, and releases its source', async () => {
    const source = listSource(entries(3))
    const replay = replayRejected({
      source,
      destination: { put: async () => undefined },
      onOutcome: () => {
        throw new Error('of the caller')
      },
    })

    await expect(replay).rejects.toThrow('of the caller')
    expect(source.releases).toBe(1)
  })

  it.each<[string, object]>([
    ['source', { source: { entries() {} } }],
    ['destination', { destination: {} }],
    ['reasonCodes', { choose: { reasonCodes: [] } }],
    ['transform', { transform: {} }],
    ['dryRun', { dryRun: 'yes' }],
    ['keep', { keep: 1 }],
    ['maxRecordsPerSecond', { maxRecordsPerSecond: 0.5 }],
    ['maxConcurrency', { maxConcurrency: 0 }],
    ['maxWindowRecords', { maxWindowRecords: 0 }],
    ['maxFailures', { maxFailures: 0 }],
    ['onOutcome', { onOutcome: 'log' }],
    ['signal', { signal: {} }],
    ['clock', { clock: {} }],
    ['rate', { rate: 5 }],
  ])('is refused with options that cannot work: %s', async (option, wrong) => {
    const options = { source: listSource([]), destination: { put: async () => undefined }, ...wrong }

    const replay = replayRejected(options as never)

    await expect(replay).rejects.toThrow(InvalidOptionError)
    await expect(replay).rejects.toMatchObject({ option })
  })
})
