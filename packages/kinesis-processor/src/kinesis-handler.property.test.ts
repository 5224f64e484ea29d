import { encodeAggregate, type KinesisEventRecord, seededRandom } from '@org/kinesis-core'
import { readBatchResponse } from '@org/kinesis-core/event-source-mapping'
import { kinesisEvent, lambdaContext, type TestRecord } from '@org/kinesis-core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { PermanentError, TransientError } from './errors.js'
import { functionSink } from './function-sink.js'
import { instantClock, MemoryRejectedSink, MemorySink } from './handler-fixture.js'
import { json } from './json-decoder.js'
import { kinesisHandler } from './kinesis-handler.js'
import type { Sink } from './sink.js'

const schema = z.object({ key: z.string(), n: z.number(), fate: z.string() })
type Event = z.infer<typeof schema>

/** What becomes of an event: well; or never, at some stage; or now and then not. */
const fates = [
  'good',
  'good',
  'good',
  'undecodable',
  'invalid',
  'bad-step',
  'unstorable',
  'flaky-step',
  'flaky-sink',
  'dropped',
]
const events = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    fate: fc.constantFrom(...fates),
    joined: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
)

const bytesOf = (event: Event) => {
  if (event.fate === 'undecodable')
    return Buffer.concat([Buffer.from(JSON.stringify(event)), Buffer.of(0xff)])
  return Buffer.from(JSON.stringify(event.fate === 'invalid' ? { ...event, n: `${event.n}` } : event))
}
const isPoison = ({ fate }: Event) => ['undecodable', 'invalid', 'bad-step', 'unstorable'].includes(fate)

/** Events that are `joined` to the one before them share its record, as members of an aggregate. */
function recordsOf(list: readonly { key: string; fate: string; joined: boolean }[]) {
  const all: Event[] = list.map(({ key, fate }, n) => ({ key, n, fate }))
  const groups: Event[][] = []
  for (const [n, { joined }] of list.entries()) {
    if (joined && groups.length > 0) groups.at(-1)!.push(all[n]!)
    else groups.push([all[n]!])
  }
  const records = groups.map((group): TestRecord => {
    const [first] = group
    if (group.length === 1) return { partitionKey: first!.key, data: bytesOf(first!) }
    const members = group.map((event) => ({ partitionKey: event.key, data: bytesOf(event) }))
    return { partitionKey: first!.key, data: encodeAggregate(members) }
  })
  return { all, records: kinesisEvent(records).Records, groups }
}

interface World {
  random: () => number
  stored: Event[]
  rejected: MemoryRejectedSink
  handler: ReturnType<typeof kinesisHandler>
}

function world(seed: number, faultRate: number, sinkKind: 'batch' | 'function'): World {
  const random = seededRandom(seed)
  const maybe = (error: Error) => (random() < faultRate ? error : undefined)
  const stored: Event[] = []
  const faultOf = (event: Event) => {
    if (event.fate === 'unstorable') return new PermanentError('too large')
    return event.fate === 'flaky-sink' ? maybe(new Error('throttled')) : undefined
  }
  const memory = new MemorySink<Event>(({ value }) => {
    const error = faultOf(value)
    if (error === undefined) stored.push(value)
    return error
  })
  const batchSink: Sink<Event> = {
    // Now and then the whole of it is down.
    write: (records) =>
      random() < faultRate / 4 ? Promise.reject(new Error('down')) : memory.write(records),
  }
  const oneByOne = functionSink<Event>(async (event) => {
    if (random() < 0.5) await null
    const error = faultOf(event)
    if (error !== undefined) throw error
    stored.push(event)
  })
  const rejected = new MemoryRejectedSink(() => maybe(new Error('queue is down')))
  const handler = kinesisHandler<Event, Event>({
    decode: json(schema),
    steps: [
      (event) => {
        if (event.fate === 'bad-step') throw new PermanentError('no such customer')
        if (event.fate === 'flaky-step' && random() < faultRate) throw new TransientError('lookup failed')
        if (event.fate === 'dropped') return undefined
        return random() < 0.3 ? Promise.resolve(event) : event
      },
    ],
    sink: sinkKind === 'batch' ? batchSink : oneByOne,
    rejected,
    maxConcurrency: 3,
    onUnresolved: () => {},
    clock: instantClock(),
    random,
  })
  return { random, stored, rejected, handler }
}

const eventOf = (payload: string) =>
  Number(/"n":"?(\d+)/.exec(Buffer.from(payload, 'base64').toString('latin1'))![1])

/** As each record comes first: what follows a first coming may be repeats. */
const firstComings = (list: readonly Event[]) => [...new Set(list)].map(({ n }) => n)

describe('a handler among random faults', () => {
  it('loses nothing in one invocation: stored, rejected, dropped, or behind the checkpoint', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        fc.integer(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('batch' as const, 'function' as const),
        async (list, seed, faultRate, sinkKind) => {
          const { all, records, groups } = recordsOf(list)
          const { handler, stored, rejected } = world(seed, faultRate, sinkKind)

          const response = await handler({ Records: records }, lambdaContext())

          const verdict = readBatchResponse(
            response,
            records.map(({ kinesis }) => kinesis),
          )
          expect(verdict.kind).not.toBe('failed')
          const resolvedGroups = verdict.kind === 'stopped-at' ? groups.slice(0, verdict.index) : groups
          const done = new Set([
            ...stored.map(({ n }) => n),
            ...rejected.records.map(({ payload }) => eventOf(payload)),
            ...all.filter(({ fate }) => fate === 'dropped').map(({ n }) => n),
          ])
          for (const { n } of resolvedGroups.flat()) expect(done).toContain(n)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('comes to exactly-once results in the end, each key in order, and rejects exactly what is bad', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        fc.integer(),
        fc.double({ min: 0, max: 0.7, noNaN: true }),
        fc.constantFrom('batch' as const, 'function' as const),
        async (list, seed, faultRate, sinkKind) => {
          const { all, records } = recordsOf(list)
          const { handler, stored, rejected, random } = world(seed, faultRate, sinkKind)

          // As Lambda does: from the checkpoint on, again and again; now and then a response is lost.
          let rest: KinesisEventRecord[] = records
          while (rest.length > 0) {
            const batch = rest.slice(0, 1 + Math.floor(random() * 12))
            const response = await handler({ Records: batch }, lambdaContext())
            if (random() < 0.1) continue
            const verdict = readBatchResponse(
              response,
              batch.map(({ kinesis }) => kinesis),
            )
            rest = rest.slice(verdict.kind === 'stopped-at' ? verdict.index : batch.length)
          }

          const good = all.filter((event) => !isPoison(event) && event.fate !== 'dropped')
          expect(new Set(stored.map(({ n }) => n))).toEqual(new Set(good.map(({ n }) => n)))
          expect(new Set(rejected.records.map(({ payload }) => eventOf(payload)))).toEqual(
            new Set(all.filter(isPoison).map(({ n }) => n)),
          )
          const byNumber = new Map(all.map((event) => [event.n, event]))
          for (const key of new Set(all.map((event) => event.key))) {
            const ofKey = stored.filter((event) => event.key === key).map(({ n }) => byNumber.get(n)!)
            expect(firstComings(ofKey)).toEqual(good.filter((event) => event.key === key).map(({ n }) => n))
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('survives any bytes, aggregates with a few bytes changed among them', async () => {
    const members = fc.array(
      fc.record({ partitionKey: fc.string({ minLength: 1 }), data: fc.uint8Array() }),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    const mutated = fc
      .tuple(members, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
      .map(([of, changes]) => {
        const bytes = Buffer.from(encodeAggregate(of))
        for (const [place, value] of changes) bytes[place % bytes.length] = value
        return bytes
      })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.uint8Array(), mutated), { maxLength: 8 }), async (data) => {
        const { handler, rejected } = world(1, 0, 'batch')

        const response = await handler(kinesisEvent(data.map((bytes) => ({ data: bytes }))), lambdaContext())

        expect(response).toEqual({ batchItemFailures: [] })
        for (const record of rejected.records)
          expect(record.reasonCode).toMatch(/undecodable|invalid|corrupt-aggregate/)
      }),
      { numRuns: 500 },
    )
  })
})
