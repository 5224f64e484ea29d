import { type KinesisEventRecord, seededRandom } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext, type TestRecord } from '@org/kinesis-core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instantClock } from '../handler-fixture.js'
import type { SinkRecord } from '../sink.js'
import type { UntimelyEvent } from './event-time.js'
import { tumblingWindows } from './tumbling-windows.js'
import { comparable, decodeVisit, recompute, type Visit, visitAggregates } from './visit-fixture.js'
import { mergeWindowPartials, type WindowPartial } from './window-partial.js'

const WINDOW_MS = 1_000
const LATENESS_MS = 500
const AHEAD_MS = 2_000

const arrivals = fc.array(
  fc.record({
    user: fc.constantFrom('ann', 'bob', 'cid', 'dan'),
    at: fc.nat(5_000),
    value: fc.option(fc.integer({ min: -99, max: 99 }), { nil: undefined }),
    /** From its time to its arrival. */
    delayMs: fc.integer({ min: -3_000, max: 3_000 }),
  }),
  { minLength: 1, maxLength: 60 },
)

describe('windows', () => {
  it('equal a batch computation through lost responses, failed writes, batches cut anew, early ends and spills', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        fc.integer(),
        fc.integer({ min: 400, max: 4_000 }),
        fc.boolean(),
        async (given, seed, maxStateBytes, isBounded) => {
          const random = seededRandom(seed)
          const events = given.map(({ delayMs, ...event }, n) => ({
            delayMs,
            visit: { id: `v${n}`, ...event } as Visit,
          }))
          /** A table on which some writes fail, with part of them done. */
          const tableOf = <V>(keyOf: (value: V) => string) => {
            const items = new Map<string, V>()
            const write = async (records: readonly SinkRecord<V>[]) =>
              records.map(({ value }) => {
                if (random() < 0.2) return { stored: false as const, error: new Error('throttled') }
                items.set(keyOf(value), value)
                return { stored: true as const }
              })
            return { items, write }
          }
          const results = tableOf<WindowPartial<typeof visitAggregates>>(
            ({ key, partialId }) => `${key}|${partialId}`,
          )
          const untimely = tableOf<UntimelyEvent<Visit>>(({ value }) => value.id)
          const handler = tumblingWindows({
            decode: decodeVisit,
            key: ({ user }) => user,
            time: ({ at }) => at,
            aggregates: visitAggregates,
            windowMs: WINDOW_MS,
            ...(isBounded ? { allowedLatenessMs: LATENESS_MS, allowedAheadMs: AHEAD_MS } : {}),
            untimely,
            maxStateBytes,
            emit: results,
            clock: instantClock(),
            random,
          })

          // As Lambda does: the state moves on with the response, and a batch that failed comes again, cut as it falls.
          const records = kinesisEvent(
            events.map(
              ({ visit, delayMs }): TestRecord => ({
                data: visit,
                partitionKey: visit.user,
                arrivalMs: visit.at + delayMs,
              }),
            ),
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

          const reasonOf = ({ visit: { at }, delayMs }: (typeof events)[number]) => {
            if (!isBounded) return undefined
            const windowEndMs = (Math.floor(at / WINDOW_MS) + 1) * WINDOW_MS
            if (at + delayMs > windowEndMs + LATENESS_MS) return 'late'
            return -delayMs > AHEAD_MS ? 'ahead' : undefined
          }
          const timely = events.filter((event) => reasonOf(event) === undefined)
          const merged = mergeWindowPartials(results.items.values(), visitAggregates)
          expect(comparable(merged)).toEqual(
            recompute(
              timely.map(({ visit }) => visit),
              WINDOW_MS,
            ),
          )
          expect(
            [...untimely.items.values()].map(({ value: { id }, reason }) => `${id} ${reason}`).sort(),
          ).toEqual(
            events
              .filter((event) => reasonOf(event) !== undefined)
              .map((event) => `${event.visit.id} ${reasonOf(event)}`)
              .sort(),
          )
        },
      ),
      { numRuns: 500 },
    )
  })
})
