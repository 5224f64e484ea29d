import { backoffDelayMs, sleep } from '@org/kinesis-core'
import { isPermanent, TransientError } from '../errors.js'
import type { SinkRecord, SinkResult } from '../sink.js'
import type { RecordPosition } from '../stream-record.js'
import { partialOf, type WindowPartial } from './window-partial.js'
import type { WindowState } from './window-state.js'
import type { ResolvedTumblingWindowsOptions } from './windows-options.js'

const MAX_ATTEMPTS = 3

/**
 * Emits everything in the state, and empties it. What the sink can never take is reported and left out, because it would stop the shard for
 * good; anything else that it does not take fails the invocation, and Lambda tries again with the same state.
 *
 * @returns how many partials were stored, and how many left out
 */
export async function emitPartials<T>(
  state: WindowState,
  source: { shardId: string; streamArn: string; streamName: string },
  options: ResolvedTumblingWindowsOptions<T>,
  remainingMs: () => number,
): Promise<{ emitted: number; unstorable: number }> {
  const partials = state.aggregates.map((aggregate) => partialOf(aggregate, options.windowMs, source.shardId))
  let open = partials.map(
    (value): SinkRecord<WindowPartial> => ({ value, position: positionOf(value, source) }),
  )
  let unstorable = 0
  for (let attempt = 1; open.length > 0; attempt++) {
    const results = await write(open, options, remainingMs)
    const failed: SinkRecord<WindowPartial>[] = []
    let lastError: unknown
    for (const [index, record] of open.entries()) {
      const result = results[index]
      if (result?.stored === true) continue
      if (isPermanent(result?.error)) {
        unstorable += 1
        options.onUnstorable(record.value, result.error)
      } else {
        failed.push(record)
        lastError = result?.error
      }
    }
    open = failed
    if (open.length === 0) break
    const delayMs = backoffDelayMs(attempt, { baseMs: 100, maxMs: 1_000 }, options.random)
    if (attempt === MAX_ATTEMPTS || delayMs >= remainingMs()) {
      throw new TransientError(`${open.length} of ${partials.length} window partials could not be stored.`, {
        cause: lastError,
      })
    }
    await sleep(options.clock, delayMs)
  }
  state.clear()
  return { emitted: partials.length - unstorable, unstorable }
}

async function write<T>(
  records: readonly SinkRecord<WindowPartial>[],
  { emit }: ResolvedTumblingWindowsOptions<T>,
  remainingMs: () => number,
): Promise<readonly SinkResult[]> {
  try {
    return (await emit.write(records, { remainingMs })) ?? []
  } catch (error) {
    return records.map(() => ({ stored: false, error }))
  }
}

/** Partials are records of their own making: the key orders them, the first record places them. */
function positionOf(
  { key, firstSequenceNumber, windowStartMs }: WindowPartial,
  source: { shardId: string; streamArn: string; streamName: string },
): RecordPosition {
  const { shardId, streamArn, streamName } = source
  return {
    streamArn,
    streamName,
    shardId,
    sequenceNumber: firstSequenceNumber,
    subSequenceNumber: 0,
    partitionKey: key,
    arrivalMs: windowStartMs,
  }
}
