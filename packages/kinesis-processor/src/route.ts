import { InvalidOptionError } from '@org/kinesis-core'
import { PermanentError } from './errors.js'
import { requireFunction } from './option-checks.js'
import { heldBack, type Sink, type SinkContext, type SinkRecord, type SinkResult } from './sink.js'
import { resultsOf } from './sink-results.js'
import type { RecordPosition } from './stream-record.js'

/**
 * A sink that hands each record to one of several, by the name that `pick` gives it. Routes are written side by side, and the records of a key
 * still one after the other: a key whose records change between routes waits for one before the other, which costs a write for each change.
 * A name without a sink is rejected as `unstorable`; what `pick` throws is treated as if the sink had answered it.
 *
 * @throws InvalidOptionError for what is no sink
 */
export function route<T, Name extends string>(
  pick: (value: T, position: RecordPosition) => Name,
  sinks: Readonly<Record<Name, Sink<T>>>,
): Sink<T> {
  requireFunction('pick', pick, 'Pass a function from a value to the name of a sink.')
  const byName = new Map<string, Sink<T>>(Object.entries(sinks ?? {}))
  if (byName.size === 0) throw new InvalidOptionError('sinks', sinks, 'Pass sinks by their names.')
  for (const [name, sink] of byName)
    requireFunction(`sinks.${name}`, sink?.write, 'Pass a sink: an object with write().')
  const sinkOf = ({ value, position }: SinkRecord<T>): Sink<T> => {
    const name = pick(value, position)
    const sink = byName.get(name)
    if (sink !== undefined) return sink
    throw new PermanentError(`There is no sink ${JSON.stringify(name)} for the record.`)
  }
  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      const byKey = Map.groupBy(records.keys(), (index) => records[index]!.position.partitionKey)
      let lanes = [...byKey.values()]
      while (lanes.length > 0) {
        const turns = new Map<Sink<T>, number[]>()
        for (const lane of lanes) takeTurn(lane, records, results, sinkOf, turns)
        await Promise.all(
          [...turns].map(([sink, indexes]) => writeTurn(sink, indexes, records, results, context)),
        )
        lanes = lanes.map((lane) => goOn(lane, results)).filter(({ length }) => length > 0)
      }
      return results
    },
  }
}

/** As many records of a key as go the same way as its first. */
function takeTurn<T>(
  lane: readonly number[],
  records: readonly SinkRecord<T>[],
  results: SinkResult[],
  sinkOf: (record: SinkRecord<T>) => Sink<T>,
  turns: Map<Sink<T>, number[]>,
): void {
  let first: Sink<T> | undefined
  for (const index of lane) {
    let sink: Sink<T>
    try {
      sink = sinkOf(records[index]!)
    } catch (error) {
      // Its turn comes when those before it are done.
      if (first === undefined) results[index] = { stored: false, error }
      return
    }
    first ??= sink
    if (sink !== first) return
    const turn = turns.get(sink)
    if (turn === undefined) turns.set(sink, [index])
    else turn.push(index)
  }
}

async function writeTurn<T>(
  sink: Sink<T>,
  indexes: number[],
  records: readonly SinkRecord<T>[],
  results: SinkResult[],
  context: SinkContext,
): Promise<void> {
  // Key by key they came, and in stream order they go.
  indexes.sort((a, b) => a - b)
  const part = indexes.map((index) => records[index]!)
  const written = await resultsOf(part.length, () => sink.write(part, context))
  for (const [place, index] of indexes.entries()) results[index] = written[place]!
}

/** What of a key is left for another turn: nothing behind a failure. */
function goOn(lane: readonly number[], results: SinkResult[]): number[] {
  const failedAt = lane.findIndex((index) => results[index]?.stored === false)
  if (failedAt < 0) return lane.filter((index) => results[index] === undefined)
  const failed = results[lane[failedAt]!] as SinkResult & { stored: false }
  for (const index of lane.slice(failedAt + 1)) results[index] ??= heldBack(failed.error)
  return []
}
