import { type KinesisEventRecord, seededRandom } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext, type TestRecord } from '@org/kinesis-core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instantClock } from '../handler-fixture.js'
import { parseJson } from '../json-decoder.js'
import type { SinkRecord } from '../sink.js'
import { tumblingWindows } from './tumbling-windows.js'
import { mergeWindowPartials, type WindowPartial } from './window-partial.js'

interface Click {
  user: string
  at: number
  value?: number
}

const WINDOW_MS = 1_000
const clicks = fc.array(
  fc.record(
    {
      user: fc.constantFrom('ann', 'bob', 'cid', 'dan'),
      at: fc.nat(5_000),
      value: fc.integer({ min: -99, max: 99 }),
    },
    { requiredKeys: ['user', 'at'] },
  ),
  { minLength: 1, maxLength: 60 },
)

/** What a batch job over all events would find. */
function recompute(events: readonly Click[]) {
  const found = new Map<string, { count: number; values: number[] }>()
  for (const { user, at, value } of events) {
    const id = `${Math.floor(at / WINDOW_MS) * WINDOW_MS}/${user}`
    const entry = found.get(id) ?? { count: 0, values: [] }
    entry.count += 1
    if (value !== undefined) entry.values.push(value)
    found.set(id, entry)
  }
  return [...found].map(([id, { count, values }]) => {
    const sum = values.reduce((total, value) => total + value, 0)
    return {
      id,
      count,
      valueCount: values.length,
      sum,
      average: values.length === 0 ? undefined : sum / values.length,
      minimum: values.length === 0 ? undefined : Math.min(...values),
      maximum: values.length === 0 ? undefined : Math.max(...values),
    }
  })
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)

describe('windows', () => {
  it('equal a batch computation through lost responses, failed writes, batches cut anew, early ends and spills', async () => {
    await fc.assert(
      fc.asyncProperty(
        clicks,
        fc.integer(),
        fc.integer({ min: 400, max: 4_000 }),
        async (events, seed, maxStateBytes) => {
          const random = seededRandom(seed)
          const table = new Map<string, WindowPartial>()
          const handler = tumblingWindows<Click>({
            decode: parseJson as (data: Uint8Array) => Click,
            key: ({ user }) => user,
            time: ({ at }) => at,
            value: ({ value }) => value,
            windowMs: WINDOW_MS,
            maxStateBytes,
            emit: {
              // A table on which some writes fail, with part of them done.
              write: async (records: readonly SinkRecord<WindowPartial>[]) =>
                records.map(({ value }) => {
                  if (random() < 0.2) return { stored: false, error: new Error('throttled') }
                  table.set(`${value.key}|${value.partialId}`, value)
                  return { stored: true }
                }),
            },
            clock: instantClock(),
            random,
          })

          // As Lambda does: the state moves on with the response, and a batch that failed comes again, cut as it falls.
          const records = kinesisEvent(
            events.map((data): TestRecord => ({ data, partitionKey: data.user })),
          ).Records
          const invoke = async (
            batch: KinesisEventRecord[],
            state: Record<string, unknown>,
            final: boolean,
            early: boolean,
          ) => {
            const { state: next } = await handler(
              {
                Records: batch,
                window: { start: '', end: '' },
                state,
                shardId: 'shardId-000000000000',
                isFinalInvokeForWindow: final,
                isWindowTerminatedEarly: early,
              },
              lambdaContext(),
            )
            // The response may be lost although everything was done.
            if (random() < 0.2) throw new Error('crash')
            return JSON.parse(JSON.stringify(next)) as Record<string, unknown>
          }
          let state: Record<string, unknown> = {}
          for (let done = 0; done < records.length; ) {
            const early = random() < 0.1
            let batch = records.slice(done, done + 1 + Math.floor(random() * 10))
            let next: Record<string, unknown> | undefined
            while (next === undefined) {
              next = await invoke(batch, state, false, early).catch(() => undefined)
              // Bisected, say. A batch at which Lambda ended the window is the same in each try.
              if (next === undefined && !early)
                batch = batch.slice(0, 1 + Math.floor(random() * batch.length))
            }
            done += batch.length
            state = early ? {} : next
          }
          while ((await invoke([], state, true, false).catch(() => undefined)) === undefined);

          const merged = mergeWindowPartials(table.values()).map(
            ({ windowStartMs, windowEndMs: _, key, ...rest }) => ({
              id: `${windowStartMs}/${key}`,
              ...rest,
            }),
          )
          expect(merged.sort(byId)).toEqual(recompute(events).sort(byId))
        },
      ),
      { numRuns: 500 },
    )
  })
})
