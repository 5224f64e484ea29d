import { isAbsolute } from 'node:path'
import { InvalidOptionError } from '@org/kinesis-core'
import {
  type MappingSettings,
  type ResolvedMappingSettings,
  resolveMappingSettings,
} from '@org/kinesis-core/event-source-mapping'
import type { LocalFunction } from '../function/local-function.js'
import type { ReadingPosition } from './shard-reader.js'

/** As for CreateEventSourceMapping, durations in milliseconds. */
export interface EventSourceMappingOptions extends Omit<MappingSettings, 'maximumPayloadBytes'> {
  streamName: string
  function: LocalFunction
  /**
   * LATEST misses what is put until the mapping has looked at the stream. A time, in milliseconds since the epoch, begins with the first
   * record that arrived then or later, at the oldest one where it is before the trim horizon; it cannot be in the future.
   * @default 'TRIM_HORIZON'
   */
  startingPosition?: ReadingPosition
  /**
   * Absolute path of a folder that stands for an S3 bucket: a JSON document with the whole event for each batch that is discarded.
   * @default none: discarded batches are gone
   */
  onFailure?: { folder: string } | undefined
  /** Between reads of a shard at its tip; behind it, reads follow at once. Milliseconds. @default 1_000 */
  pollIntervalMs?: number
}

export interface ResolvedEventSourceMappingOptions {
  streamName: string
  function: LocalFunction
  startingPosition: ReadingPosition
  failureFolder: string | undefined
  pollIntervalMs: number
  settings: ResolvedMappingSettings
}

export function resolveEventSourceMappingOptions(
  options: EventSourceMappingOptions,
  nowMs: number,
): ResolvedEventSourceMappingOptions {
  const { streamName, startingPosition = 'TRIM_HORIZON', onFailure, pollIntervalMs = 1_000 } = options
  if (onFailure !== undefined && !isAbsolute(onFailure.folder)) {
    throw new InvalidOptionError('onFailure.folder', onFailure.folder, 'Give an absolute path.')
  }
  return {
    streamName: checkedStreamName(streamName),
    function: options.function,
    startingPosition: checkedPosition(startingPosition, nowMs),
    failureFolder: onFailure?.folder,
    pollIntervalMs: checkedPollInterval(pollIntervalMs),
    settings: resolveMappingSettings(options),
  }
}

function checkedPosition(position: ReadingPosition, nowMs: number): ReadingPosition {
  if (position === 'TRIM_HORIZON' || position === 'LATEST') return position
  if (typeof position !== 'object' || position === null) {
    throw new InvalidOptionError(
      'startingPosition',
      position,
      'Give TRIM_HORIZON, LATEST, or { atTimestampMs } for AT_TIMESTAMP.',
    )
  }
  const { atTimestampMs } = position
  if (!Number.isFinite(atTimestampMs) || atTimestampMs < 0 || atTimestampMs > nowMs) {
    throw new InvalidOptionError(
      'startingPosition.atTimestampMs',
      atTimestampMs,
      'Give milliseconds since the epoch, not in the future.',
    )
  }
  return { atTimestampMs }
}

export function checkedStreamName(streamName: string): string {
  if (typeof streamName !== 'string' || !/^[a-zA-Z0-9_.-]{1,128}$/.test(streamName)) {
    throw new InvalidOptionError('streamName', streamName, 'Give the name of a stream.')
  }
  return streamName
}

export function checkedPollInterval(pollIntervalMs: number): number {
  if (!Number.isFinite(pollIntervalMs) || pollIntervalMs < 1 || pollIntervalMs > 60_000) {
    throw new InvalidOptionError('pollIntervalMs', pollIntervalMs, 'Give milliseconds from 1 to 60000.')
  }
  return pollIntervalMs
}
