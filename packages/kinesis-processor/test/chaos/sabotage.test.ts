import type { KinesisBatchResponse } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import {
  kinesisHandler,
  PermanentError,
  type RejectedSink,
  type Sink,
  type SinkRecord,
} from '../../src/index.js'
import { runSeed } from './run-seed.js'
import type { Enriched, MakeHandler } from './world.js'

/** Enough seeds for each of these to show. */
const SEEDS = 25

const STORED = { stored: true } as const

/** Handlers with a fault of a kind that is seen in real ones, and the rule that each breaks. */
const broken: [string, RegExp, MakeHandler][] = [
  [
    'answers with success, whatever happened',
    /lost: not in/,
    (options) => {
      const handler = kinesisHandler(options)
      return async (event, context) => {
        await handler(event, context)
        return { batchItemFailures: [] }
      }
    },
  ],
  [
    'takes the last record that failed for the checkpoint',
    /lost: not in|neither rejected/,
    (options) => {
      const handler = kinesisHandler(options)
      return async (event, context): Promise<KinesisBatchResponse> => {
        const { batchItemFailures } = await handler(event, context)
        const last = event.Records.at(-1)!.kinesis.sequenceNumber
        return { batchItemFailures: batchItemFailures.map(() => ({ itemIdentifier: last })) }
      }
    },
  ],
  [
    'counts a record as rejected that the queue did not take',
    /neither rejected nor dead-lettered/,
    (options) => {
      const rejected: RejectedSink = {
        write: async (records, context) => {
          await options.rejected.write(records, context).catch(() => {})
          return records.map(() => STORED)
        },
      }
      return kinesisHandler({ ...options, rejected })
    },
  ],
  [
    'counts records as stored that the sink did not take',
    /lost: not in|not the last/,
    (options) => kinesisHandler({ ...options, sink: careless(options.sink) }),
  ],
  [
    'runs the records of a key beside one another',
    /out of the order of its key/,
    (options) => {
      // Each record under a key of its own, as if lanes were not by partition key.
      const handler = kinesisHandler(options)
      return (event, context) =>
        handler(
          {
            ...event,
            Records: event.Records.map((record, index) => ({
              ...record,
              kinesis: { ...record.kinesis, partitionKey: `${index}` },
            })),
          },
          context,
        )
    },
  ],
  [
    'writes again what was stored, when others fail',
    /written again within an invocation/,
    (options) => {
      const written: SinkRecord<Enriched>[] = []
      const sink: Sink<Enriched> = {
        write: (records, context) => {
          const more = written.filter(
            ({ position }) => !records.some((record) => record.position === position),
          )
          written.push(...records)
          return options.sink.write([...records, ...more], context)
        },
      }
      return kinesisHandler({ ...options, sink })
    },
  ],
  [
    'rejects what may go well later',
    /rejected for another reason/,
    (options) => {
      const [first, ...others] = options.steps
      const impatient = typeof first === 'function' ? first : () => undefined
      return kinesisHandler({
        ...options,
        steps: [
          (event, position) => {
            try {
              return impatient(event, position)
            } catch (cause) {
              throw new PermanentError('It failed once.', { cause })
            }
          },
          ...others,
        ],
      })
    },
  ],
]

function careless<T>(sink: Sink<T>): Sink<T> {
  return {
    write: async (records, context) => {
      await sink.write(records, context).catch(() => {})
      return records.map(() => STORED)
    },
  }
}

describe('a campaign against a handler that', () => {
  it.each(broken)('%s finds it out', { timeout: 120_000 }, async (_, rule, makeHandler) => {
    let isFound = false
    for (let seed = 1; seed <= SEEDS && !isFound; seed++) {
      await runSeed(seed, makeHandler).catch(({ message }: Error) => {
        isFound = rule.test(message)
      })
    }

    expect(isFound).toBe(true)
  })
})
