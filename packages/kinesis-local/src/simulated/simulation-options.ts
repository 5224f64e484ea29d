import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'
import type { FaultPlan } from '../faults/fault-action.js'
import { type LocalOptions, type ResolvedLocalOptions, resolveLocalOptions } from '../local-options.js'
import type { TraceEntry } from './trace.js'

/** What a simulation takes of the options of `startLocal`. */
type SharedOptions = Pick<
  LocalOptions,
  | 'region'
  | 'streams'
  | 'tables'
  | 'queues'
  | 'maxRetainedBytes'
  | 'shardLimits'
  | 'writeBurst'
  | 'streamTransitionMs'
>

export interface SimulationOptions extends SharedOptions {
  /** A whole number; everything that is random follows from it. @default 1 */
  seed?: number
  /** When the simulation begins, in milliseconds since the epoch. @default 2026-01-01T00:00:00Z */
  startMs?: number
  /**
   * How long a request takes to the service, and its answer back: two numbers between which each is drawn, in milliseconds of simulated
   * time. @default 0: at once
   */
  latencyMs?: { min: number; max: number }
  /** What goes wrong with the calls of SDK clients. @default nothing */
  faults?: FaultPlan
  /** Told of every call and invocation; for a test that failed. @default nothing */
  onTrace?: (entry: TraceEntry) => void
}

export interface ResolvedSimulationOptions {
  local: ResolvedLocalOptions
  seed: number
  startMs: number
  latencyMs: { min: number; max: number }
  faults: FaultPlan
  onTrace: (entry: TraceEntry) => void
}

/** As a record, so that the compiler asks for an option that is missing here. */
const KNOWN: Record<keyof SimulationOptions, true> = {
  region: true,
  streams: true,
  tables: true,
  queues: true,
  maxRetainedBytes: true,
  shardLimits: true,
  writeBurst: true,
  streamTransitionMs: true,
  seed: true,
  startMs: true,
  latencyMs: true,
  faults: true,
  onTrace: true,
}

export function resolveSimulationOptions(options: SimulationOptions): ResolvedSimulationOptions {
  refuseUnknownOptions(options, Object.keys(KNOWN))
  const {
    seed = 1,
    startMs = Date.UTC(2026, 0, 1),
    latencyMs = { min: 0, max: 0 },
    faults = () => undefined,
    onTrace = () => {},
    ...shared
  } = options
  if (!Number.isSafeInteger(seed)) throw new InvalidOptionError('seed', seed, 'Give a whole number.')
  if (!Number.isSafeInteger(startMs) || startMs < 0)
    throw new InvalidOptionError('startMs', startMs, 'Give milliseconds since the epoch.')
  if (!(latencyMs.min >= 0 && latencyMs.max >= latencyMs.min && latencyMs.max < Number.POSITIVE_INFINITY))
    throw new InvalidOptionError(
      'latencyMs',
      latencyMs,
      'Give { min, max } in milliseconds, from 0, min at most max.',
    )
  return {
    local: resolveLocalOptions(shared),
    seed,
    startMs,
    latencyMs: { ...latencyMs },
    faults,
    onTrace,
  }
}
