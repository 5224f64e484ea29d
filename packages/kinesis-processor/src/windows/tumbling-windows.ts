import {
  type KinesisEvent,
  type KinesisWindowResponse,
  type LambdaContext,
  lambdaQuotas,
} from '@org/kinesis-core'
import { isPermanent } from '../errors.js'
import { refuseUnknown, requireFunction, whole } from '../handler-options.js'
import type { Decoder } from '../json-decoder.js'
import type { Sink } from '../sink.js'
import { type RecordPosition, readEvent } from '../stream-record.js'
import { type WindowAggregate, WindowState } from './window-state.js'

/**
 * Part of a window's result: what one shard saw of a key in one stretch of state. Partials of a window and key add up (`mergeWindowPartials`);
 * `partialId` is the same whenever the partial is computed again, so that storing it twice changes nothing.
 */
export interface WindowPartial extends Omit<WindowAggregate, 'firstSubSequenceNumber'> {
  windowEndMs: number
  shardId: string
  partialId: string
  /** Of the values; undefined where no event had one. */
  average: number | undefined
}

export interface TumblingWindowsOptions<T> {
  /** Bytes to a validated value. Records that it refuses for good are passed over: the processor of the same stream rejects them. */
  decode: Decoder<T>
  /** The key that windows are kept for. */
  key: (value: T) => string
  /** The event's own time in milliseconds since the epoch, or undefined to take its arrival. */
  time: (value: T, position: RecordPosition) => number | undefined
  /** What is summed; undefined counts the event alone. @default nothing */
  value?: (value: T) => number | undefined
  /** Takes the partials. They must all be stored: anything else fails the invocation, and Lambda tries again. */
  emit: Sink<WindowPartial>
  /** Length of a window of event time, in milliseconds. @default 60_000 */
  windowMs?: number
  /** State above this is emitted as partials and begun anew, in bytes. @default 800_000; Lambda allows 1 MB */
  maxStateBytes?: number
}

export type TumblingWindowsHandler = (
  event: KinesisEvent,
  context: LambdaContext,
) => Promise<KinesisWindowResponse>

const KNOWN: ReadonlySet<string> = new Set<keyof TumblingWindowsOptions<unknown>>([
  'decode',
  'key',
  'time',
  'value',
  'emit',
  'windowMs',
  'maxStateBytes',
])

/**
 * A Lambda handler for a mapping with a tumbling window and parallelization 1. It keeps count, sum, minimum and maximum per key and window of
 * event time in Lambda's window state, and emits them when Lambda ends the window.
 *
 * It never reports partial failures, because what becomes of the state then is not documented: it succeeds or throws.
 */
export function tumblingWindows<T>(options: TumblingWindowsOptions<T>): TumblingWindowsHandler {
  const resolved = resolve(options)
  return async (event, context) => {
    const records = readEvent(event)
    const state = WindowState.unpack(event.state)
    const shardId = event.shardId ?? records[0]?.position.shardId ?? ''
    const emit = async () => {
      await emitAll(state, resolved, shardId, () => context.getRemainingTimeInMillis())
      state.clear()
    }
    for (const { position, data, fault } of records) {
      if (fault !== undefined) continue
      const value = await decodeOrSkip(resolved.decode, data)
      if (value === undefined) continue
      const timeMs = resolved.time(value, position) ?? position.arrivalMs
      const windowStartMs = Math.floor(timeMs / resolved.windowMs) * resolved.windowMs
      state.add(windowStartMs, resolved.key(value), resolved.value(value), position)
      if (state.bytes > resolved.maxStateBytes) await emit()
    }
    if (event.isFinalInvokeForWindow === true || event.isWindowTerminatedEarly === true) await emit()
    return { state: state.pack(), batchItemFailures: [] }
  }
}

/** Adds up the partials of windows; the result is in the order in which windows and keys first came. */
export function mergeWindowPartials(
  partials: Iterable<WindowPartial>,
): Omit<WindowPartial, 'shardId' | 'partialId' | 'firstSequenceNumber'>[] {
  const merged = new Map<string, Omit<WindowPartial, 'shardId' | 'partialId' | 'firstSequenceNumber'>>()
  for (const partial of partials) {
    const { shardId: _shard, partialId: _id, firstSequenceNumber: _first, ...own } = partial
    const id = `${own.windowStartMs}/${own.key}`
    const known = merged.get(id)
    if (known === undefined) {
      merged.set(id, own)
      continue
    }
    known.count += own.count
    known.sum += own.sum
    known.valueCount += own.valueCount
    known.minimum = Math.min(known.minimum, own.minimum)
    known.maximum = Math.max(known.maximum, own.maximum)
    known.average = known.valueCount === 0 ? undefined : known.sum / known.valueCount
  }
  return [...merged.values()]
}

async function decodeOrSkip<T>(decode: Decoder<T>, data: Uint8Array): Promise<T | undefined> {
  try {
    return await decode(data)
  } catch (error) {
    if (isPermanent(error)) return undefined
    throw error
  }
}

async function emitAll<T>(
  state: WindowState,
  { emit, windowMs }: ResolvedTumblingWindowsOptions<T>,
  shardId: string,
  remainingMs: () => number,
): Promise<void> {
  const partials = state.aggregates.map((aggregate) => partialOf(aggregate, windowMs, shardId))
  if (partials.length === 0) return
  const records = partials.map((value) => ({ value, position: positionOf(value) }))
  const results = await emit.write(records, { remainingMs })
  const failure = partials.map((_, index) => results[index]).find((result) => result?.stored !== true)
  if (failure !== undefined || results.length < partials.length) {
    const cause = failure !== undefined && 'error' in failure ? failure.error : undefined
    throw new Error('Not all window partials could be stored.', { cause })
  }
}

function partialOf(aggregate: WindowAggregate, windowMs: number, shardId: string): WindowPartial {
  const { firstSubSequenceNumber, ...own } = aggregate
  const place = `${own.firstSequenceNumber}.${firstSubSequenceNumber}`
  return {
    ...own,
    windowEndMs: own.windowStartMs + windowMs,
    shardId,
    partialId: `${new Date(own.windowStartMs).toISOString()}#${shardId}#${place}`,
    average: own.valueCount === 0 ? undefined : own.sum / own.valueCount,
  }
}

/** Partials are records of their own making: the key orders them, the first record places them. */
function positionOf({ key, shardId, firstSequenceNumber, windowStartMs }: WindowPartial): RecordPosition {
  return {
    streamArn: '',
    streamName: '',
    shardId,
    sequenceNumber: firstSequenceNumber,
    subSequenceNumber: 0,
    partitionKey: key,
    arrivalMs: windowStartMs,
  }
}

interface ResolvedTumblingWindowsOptions<T> extends Required<TumblingWindowsOptions<T>> {}

function resolve<T>(options: TumblingWindowsOptions<T>): ResolvedTumblingWindowsOptions<T> {
  refuseUnknown(options, KNOWN)
  requireFunction('decode', options.decode, 'Pass json(schema), or a function from bytes to a value.')
  requireFunction('key', options.key, 'Pass a function from a value to its window key.')
  requireFunction('time', options.time, 'Pass a function from a value to its time in milliseconds.')
  requireFunction('emit', options.emit?.write, 'Pass a sink for the results.')
  return {
    ...options,
    value: options.value ?? (() => undefined),
    windowMs: whole('windowMs', options.windowMs ?? 60_000, 1),
    maxStateBytes: Math.min(
      whole('maxStateBytes', options.maxStateBytes ?? 800_000, 1),
      lambdaQuotas.maxWindowStateBytes,
    ),
  }
}
