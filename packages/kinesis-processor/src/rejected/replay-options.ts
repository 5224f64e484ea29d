import { type Clock, InvalidOptionError, refuseUnknownOptions, systemClock } from '@org/kinesis-core'
import { requireClock, requireFunction, whole } from '../option-checks.js'
import type { RejectedRecord } from '../rejected-record.js'
import { type RejectedChoice, rejectedFilter } from './rejected-choice.js'
import type { RejectedEntry, RejectedSource } from './rejected-source.js'

/** Where records go back to: a `KinesisProducer` has this shape. It resolves when the record is durable. */
export interface ReplayDestination {
  put(record: { partitionKey: string; data: Uint8Array }): Promise<unknown>
}

export interface ReplayOptions<Entry extends RejectedEntry = RejectedEntry> {
  source: RejectedSource<Entry>
  destination: ReplayDestination
  /** Which of them. What is rejected after the replay began is left out unless `rejectedBeforeMs` says otherwise: else a replay could go round for ever. @default all */
  choose?: RejectedChoice
  /** Mends a payload; without it the bytes go back as they were. Where it throws, the record stays where it is. @default none */
  transform?: (data: Uint8Array, record: RejectedRecord) => Uint8Array | Promise<Uint8Array>
  /** Puts nothing and takes nothing away, but reads, chooses and transforms. @default false */
  dryRun?: boolean
  /** Leaves what was put where it lies too; another replay would put it again. @default false */
  keep?: boolean
  /** Records put in a second, evenly: they share their shards with live ones. @default 100 */
  maxRecordsPerSecond?: number
  /** Partition keys put at once. @default 32 */
  maxConcurrency?: number
  /** Records read, or 64 MiB of their payloads, before they are put: in these order per key is restored where a source has none. @default 1_000 */
  maxWindowRecords?: number
  /** After so many failed records the replay stops. @default 100 */
  maxFailures?: number
  /** Told what came of each record, after it was taken away. What it throws ends the replay, as does what `choose.where` throws. @default nothing */
  onOutcome?: (outcome: ReplayOutcome<Entry>) => void
  /** Stops the replay: what is being put is awaited, nothing more is begun. @default none */
  signal?: AbortSignal
  /** @default the system's clock */
  clock?: Clock
}

/**
 * `put`: it is in the stream. `planned`: it would be, without `dryRun`. `repeated`: an envelope of a record that this replay has put.
 * `failed`: the transform or the destination failed. `heldBack`: a record before it in its key failed. `left`: the replay stopped before it.
 * `unchosen`, `unreadable`: passed over.
 */
export type ReplayOutcomeKind = keyof typeof NO_RECORDS

export interface ReplayOutcome<Entry extends RejectedEntry = RejectedEntry> {
  entry: Entry
  outcome: ReplayOutcomeKind
  /** Why it failed, was held back, or is unreadable. */
  error: unknown
  /** Of what was put, and still lies where it was: why. */
  removeError: unknown
}

export interface ReplayReport extends Record<ReplayOutcomeKind, number> {
  /** Of those put or repeated: how many could not be taken away. Another replay would put them again. */
  notRemoved: number
  /** Why not everything was read: the signal, `maxFailures`, or a source that failed. */
  stopped: 'aborted' | 'too-many-failures' | 'source-failed' | undefined
  /** What the source threw. */
  error: unknown
}

export const NO_RECORDS = {
  put: 0,
  planned: 0,
  repeated: 0,
  failed: 0,
  heldBack: 0,
  left: 0,
  unchosen: 0,
  unreadable: 0,
}

export type ResolvedReplayOptions<Entry extends RejectedEntry> = Required<
  Omit<ReplayOptions<Entry>, 'choose' | 'transform' | 'signal'>
> & {
  isChosen: (record: RejectedRecord) => boolean
  transform: ReplayOptions['transform'] | undefined
  signal: AbortSignal | undefined
}

const KNOWN = [
  'source',
  'destination',
  'choose',
  'transform',
  'dryRun',
  'keep',
  'maxRecordsPerSecond',
  'maxConcurrency',
  'maxWindowRecords',
  'maxFailures',
  'onOutcome',
  'signal',
  'clock',
] as const satisfies (keyof ReplayOptions)[]

export function resolveReplayOptions<Entry extends RejectedEntry>(
  options: ReplayOptions<Entry>,
): ResolvedReplayOptions<Entry> {
  refuseUnknownOptions(options, KNOWN)
  const { source, destination, choose = {}, transform, dryRun = false, keep = false, signal } = options
  const { onOutcome = () => {}, clock = systemClock } = options
  for (const method of ['entries', 'remove', 'release'] as const) {
    requireFunction(
      'source',
      source?.[method],
      'Pass fileRejectedSource, s3RejectedSource or sqsRejectedSource.',
    )
  }
  requireFunction('destination', destination?.put, 'Pass a KinesisProducer, or an object with put().')
  if (transform !== undefined) requireFunction('transform', transform, 'Pass a function from bytes to bytes.')
  requireFlag('dryRun', dryRun)
  requireFlag('keep', keep)
  requireFunction('onOutcome', onOutcome, 'Pass a function, or leave it out.')
  if (signal !== undefined) {
    requireFunction('signal', signal?.addEventListener, 'Pass an AbortSignal, or leave it out.')
  }
  requireClock(clock)
  return {
    source,
    destination,
    isChosen: rejectedFilter({ rejectedBeforeMs: clock.now(), ...choose }),
    transform,
    dryRun,
    keep,
    maxRecordsPerSecond: whole('maxRecordsPerSecond', options.maxRecordsPerSecond ?? 100, 1),
    maxConcurrency: whole('maxConcurrency', options.maxConcurrency ?? 32, 1),
    maxWindowRecords: whole('maxWindowRecords', options.maxWindowRecords ?? 1_000, 1),
    maxFailures: whole('maxFailures', options.maxFailures ?? 100, 1),
    onOutcome,
    signal,
    clock,
  }
}

function requireFlag(option: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new InvalidOptionError(option, value, 'Give true or false.')
}
