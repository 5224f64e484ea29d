import type { KinesisEvent, KinesisWindowResponse, LambdaContext } from '@org/kinesis-core'
import { UnexpectedEventError } from '../errors.js'
import { readEvent, type StreamRecord, streamOf } from '../stream-record.js'
import { timeLeft } from '../time-left.js'
import type { WindowAggregates } from './window-aggregate.js'
import { type ShardSource, WindowInvocation } from './window-invocation.js'
import { WindowState } from './window-state.js'
import { resolveTumblingWindowsOptions, type TumblingWindowsOptions } from './windows-options.js'

export type TumblingWindowsHandler = (
  event: KinesisEvent,
  context: LambdaContext,
) => Promise<KinesisWindowResponse>

/**
 * A Lambda handler for a mapping with a tumbling window and parallelization 1. It keeps aggregates per key and window of event time in
 * Lambda's window state, and emits them when Lambda ends the window.
 *
 * It never reports partial failures, because what becomes of the state then is not documented: it succeeds or throws.
 *
 * @throws InvalidOptionError at once for options that cannot work; the handler rejects with UnexpectedEventError for an event without a window
 */
export function tumblingWindows<T, A extends WindowAggregates<T> = Record<never, never>>(
  options: TumblingWindowsOptions<T, A>,
): TumblingWindowsHandler {
  const resolved = resolveTumblingWindowsOptions(options)
  return async (event, context) => {
    requireWindow(event)
    const records = readEvent({ ...event, Records: event.Records ?? [] })
    const invocation = new WindowInvocation(resolved, {
      state: WindowState.unpack<T>(event.state, resolved.aggregates),
      source: sourceOf(event, records),
      remainingMs: timeLeft(context, EMIT_MARGIN_MS),
    })
    for (const record of records) await invocation.take(record)
    await invocation.writeUntimely()
    if (event.isFinalInvokeForWindow === true || event.isWindowTerminatedEarly === true)
      await invocation.emitAll()
    return invocation.finish()
  }
}

/** Left of an invocation when emitting stops: enough to answer. */
const EMIT_MARGIN_MS = 1_000

/** Without a window Lambda drops the state, and every result with it. */
function requireWindow(event: KinesisEvent): void {
  if (event?.window !== undefined) return
  throw new UnexpectedEventError(
    'The event has no window: give the mapping of this function a tumbling window.',
  )
}

function sourceOf(event: KinesisEvent, records: readonly StreamRecord[]): ShardSource {
  const first = records[0]?.position
  const shardId = event.shardId ?? first?.shardId
  if (shardId === undefined) throw new UnexpectedEventError('The event names no shard.')
  return { shardId, ...streamOf(event.eventSourceARN ?? first?.streamArn ?? '') }
}
