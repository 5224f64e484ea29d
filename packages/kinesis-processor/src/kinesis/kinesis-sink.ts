import { StreamingError } from '@org/kinesis-core'
import { isPermanent, unstorable } from '../errors.js'
import { type PlannedWrite, planWrites } from '../requests/planned-write.js'
import {
  heldBack,
  outOfTime,
  type Sink,
  type SinkContext,
  type SinkRecord,
  type SinkResult,
} from '../sink.js'
import {
  type KinesisSinkOptions,
  type OutgoingRecord,
  type RecordProducer,
  resolveKinesisSinkOptions,
} from './kinesis-sink-options.js'
import { settleWithin } from './settle-within.js'

/** Order is kept by the partition key of the record that came, whatever that of its copy is. */
interface PlannedPut extends PlannedWrite {
  record: OutgoingRecord
}

/** Codes of `KinesisProducer` for records that no stream takes. */
const UNSTORABLE_CODES = new Set(['INVALID_RECORD', 'RECORD_TOO_LARGE'])

/**
 * Puts each record into another stream by a producer, at least once and in order per partition key. A write returns when each record is in the
 * stream or has failed, or when the time is over: nothing is left to a background that Lambda freezes.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function kinesisSink<T>(options: KinesisSinkOptions<T>): Sink<T> {
  const { producer, record: recordOf, producerKeepsOrder, clock } = resolveKinesisSinkOptions(options)

  const plan = ({ value, position }: SinkRecord<T>, index: number): PlannedPut => {
    return { index, partitionKey: position.partitionKey, record: recordOf(value, position) }
  }

  const putAll = async (puts: readonly PlannedPut[], context: SinkContext): Promise<SinkResult[]> => {
    if (context.remainingMs() <= 0) return puts.map(outOfTime)
    const pending = puts.map(async ({ record }) => producer.put(record))
    // Each put says itself what became of it.
    producer.flush?.().catch(() => {})
    const settled = await settleWithin(pending, context.remainingMs(), clock)
    const results = settled.map((outcome) => (outcome === undefined ? stillOpen() : resultOf(outcome)))
    resumeKeys(producer, puts, results, settled)
    return results
  }

  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      const puts = planWrites(records, plan, results)
      const failedKeys = new Map<string, SinkResult>()
      for (const round of producerKeepsOrder ? [puts] : rounds(puts)) {
        const allowed = round.filter(({ partitionKey }) => !failedKeys.has(partitionKey))
        const outcomes = allowed.length === 0 ? [] : await putAll(allowed, context)
        for (const [place, { index, partitionKey }] of allowed.entries()) {
          const outcome = outcomes[place]!
          results[index] = outcome.stored ? outcome : (failedKeys.get(partitionKey) ?? outcome)
          if (outcome.stored || isPermanent(outcome.error) || failedKeys.has(partitionKey)) continue
          failedKeys.set(partitionKey, heldBack(outcome.error))
        }
        for (const { index, partitionKey } of round) results[index] ??= failedKeys.get(partitionKey)!
      }
      return results
    },
  }
}

/** The first records of all keys, then the second ones, and so on. */
function rounds(puts: readonly PlannedPut[]): PlannedPut[][] {
  const found: PlannedPut[][] = []
  const nextOfKey = new Map<string, number>()
  for (const put of puts) {
    const place = nextOfKey.get(put.partitionKey) ?? 0
    nextOfKey.set(put.partitionKey, place + 1)
    found[place] ??= []
    found[place].push(put)
  }
  return found
}

/** What failed comes again by the handler, so the producer need not hold its key any longer than until all puts of it have settled. */
function resumeKeys(
  producer: RecordProducer,
  puts: readonly PlannedPut[],
  results: readonly SinkResult[],
  settled: readonly (PromiseSettledResult<unknown> | undefined)[],
): void {
  if (producer.resumeKey === undefined) return
  const failed = new Set<string>()
  const open = new Set<string>()
  for (const [place, { record }] of puts.entries()) {
    if (!results[place]!.stored) failed.add(record.partitionKey)
    if (settled[place] === undefined) open.add(record.partitionKey)
  }
  for (const partitionKey of failed) if (!open.has(partitionKey)) producer.resumeKey(partitionKey)
}

function resultOf(outcome: PromiseSettledResult<unknown>): SinkResult {
  if (outcome.status === 'fulfilled') return { stored: true }
  const error: unknown = outcome.reason
  const isUnstorable = StreamingError.isInstance(error) && UNSTORABLE_CODES.has(error.code)
  if (!isUnstorable) return { stored: false, error }
  return { stored: false, error: unstorable(`The stream never takes the record: ${error.message}`, error) }
}

function stillOpen(): SinkResult {
  return {
    stored: false,
    error: new Error('The producer did not deliver the record in the time left; it may do so yet.'),
  }
}
