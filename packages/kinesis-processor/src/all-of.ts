import { InvalidOptionError } from '@org/kinesis-core'
import { requireFunction } from './option-checks.js'
import { heldBack, type Sink, type SinkContext, type SinkRecord, type SinkResult } from './sink.js'
import { resultsOf } from './sink-results.js'
import type { RecordPosition } from './stream-record.js'

const STORED: SinkResult = { stored: true }

/**
 * A sink that stores each record in several, in the order given: the second gets what the first has taken, and so on. A record counts as
 * stored when all have it. Where one fails, its key is held back; what the sinks before it have taken is not written to them again within the
 * invocation, and is in the next. A record that a later sink can never take is rejected, and stays in those before it: so put the sink first
 * that refuses most.
 *
 * @throws InvalidOptionError for less than two sinks, or what is none
 */
export function allOf<T>(...sinks: [Sink<T>, Sink<T>, ...Sink<T>[]]): Sink<T> {
  if (sinks.length < 2) throw new InvalidOptionError('sinks', sinks, 'Pass two sinks or more.')
  for (const sink of sinks) requireFunction('sinks', sink?.write, 'Pass sinks: objects with write().')
  // How many sinks have a record that the next one failed to take. Its position is the same object in every try of an invocation.
  const taken = new WeakMap<RecordPosition, number>()
  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length).fill(STORED)
      const counts = records.map(({ position }) => taken.get(position) ?? 0)
      let open = [...records.keys()]
      for (const [place, sink] of sinks.entries()) {
        const news = open.filter((index) => counts[index]! <= place)
        await writeTo(sink, news, records, results, context)
        for (const index of news) if (results[index]!.stored) counts[index] = place + 1
        open = open.filter((index) => results[index]!.stored)
      }
      for (const [index, { position }] of records.entries()) {
        if (!results[index]!.stored && counts[index]! > 0) taken.set(position, counts[index]!)
      }
      return results
    },
  }
}

/** Behind a record that failed nothing of its key goes on to the next sink, also where this one has stored it in spite of that. */
async function writeTo<T>(
  sink: Sink<T>,
  indexes: readonly number[],
  records: readonly SinkRecord<T>[],
  results: SinkResult[],
  context: SinkContext,
): Promise<void> {
  if (indexes.length === 0) return
  const part = indexes.map((index) => records[index]!)
  const written = await resultsOf(part.length, () => sink.write(part, context))
  const failedKeys = new Map<string, SinkResult>()
  for (const [place, index] of indexes.entries()) {
    const { partitionKey } = records[index]!.position
    const result = written[place]!
    results[index] = failedKeys.get(partitionKey) ?? result
    if (!result.stored && !failedKeys.has(partitionKey)) failedKeys.set(partitionKey, heldBack(result.error))
  }
}
