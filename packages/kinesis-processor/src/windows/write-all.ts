import { backoffDelayMs, type Clock, type Random, sleep } from '@org/kinesis-core'
import { isPermanent, TransientError } from '../errors.js'
import type { Sink, SinkRecord, SinkResult } from '../sink.js'

const MAX_ATTEMPTS = 3

export interface WriteAllOptions<V> {
  sink: Sink<V>
  /** Of the records, for the error: "window partials". */
  name: string
  /** Told of each that the sink can never take. */
  onRefused: (value: V, error: unknown) => void
  remainingMs: () => number
  clock: Clock
  random: Random
}

/**
 * Writes until the sink has all of them. What it can never take is told and left out, because it would stop the shard for good; anything else
 * that it does not take after some tries fails the invocation, and Lambda tries again with the same state.
 *
 * @returns how many were stored, and how many left out
 */
export async function writeAll<V>(
  records: readonly SinkRecord<V>[],
  options: WriteAllOptions<V>,
): Promise<{ stored: number; refused: number }> {
  const { name, onRefused, remainingMs, clock, random } = options
  let open = records
  let refused = 0
  for (let attempt = 1; open.length > 0; attempt++) {
    const results = await write(open, options)
    const failed: SinkRecord<V>[] = []
    let lastError: unknown
    for (const [index, record] of open.entries()) {
      const result = results[index]
      if (result?.stored === true) continue
      if (isPermanent(result?.error)) {
        refused += 1
        onRefused(record.value, result.error)
      } else {
        failed.push(record)
        lastError = result?.error
      }
    }
    open = failed
    if (open.length === 0) break
    const delayMs = backoffDelayMs(attempt, { baseMs: 100, maxMs: 1_000 }, random)
    if (attempt === MAX_ATTEMPTS || delayMs >= remainingMs())
      throw new TransientError(`${open.length} of ${records.length} ${name} could not be stored.`, {
        cause: lastError,
      })
    await sleep(clock, delayMs)
  }
  return { stored: records.length - refused, refused }
}

async function write<V>(
  records: readonly SinkRecord<V>[],
  { sink, remainingMs }: WriteAllOptions<V>,
): Promise<readonly SinkResult[]> {
  try {
    return (await sink.write(records, { remainingMs })) ?? []
  } catch (error) {
    return records.map(() => ({ stored: false, error }))
  }
}
