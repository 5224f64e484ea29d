import { type BatchItem, DROPPED, type Progress, WAITING } from './batch.js'
import type { BatchStep } from './batch-step.js'
import { isPermanent } from './errors.js'
import type { AnyStep, Step } from './step.js'

/** Steps that follow one another on each record, or one step for many records. */
export type Stage = readonly Step<unknown, unknown>[] | BatchStep<unknown, unknown>

export function isBatchStage(stage: Stage): stage is BatchStep<unknown, unknown> {
  return 'run' in stage
}

/** Cuts a list of steps at those for many. The first stage is for each record, and may be empty: the decoder runs there. */
export function stagesOf(steps: readonly AnyStep<unknown, unknown>[]): readonly Stage[] {
  let each: Step<unknown, unknown>[] | undefined = []
  const stages: Stage[] = [each]
  for (const step of steps) {
    if (typeof step !== 'function') {
      stages.push(step)
      each = undefined
    } else if (each === undefined) {
      each = [step]
      stages.push(each)
    } else each.push(step)
  }
  return stages
}

/** Whether a record is to go through a stage now, needs it no more, or has yet to come to it: then nothing behind it in its lane may go. */
export function standing<U>(progress: Progress<U>, stage: number): 'take' | 'pass' | 'stop' {
  if (progress.state === 'waiting') return stage === 0 ? 'take' : 'stop'
  if (progress.state !== 'underway' || progress.stage > stage) return 'pass'
  return progress.stage === stage ? 'take' : 'stop'
}

/** Takes a record on behind a stage, with what the stage gave. */
export function leaveStage<U>(item: BatchItem<U>, value: unknown, stage: number, stages: number): void {
  if (value === undefined) item.progress = DROPPED
  else if (stage === stages - 1) item.progress = { state: 'ready', value: value as U }
  else item.progress = { state: 'underway', value, stage: stage + 1 }
}

/**
 * Settles what a stage threw. A record that is tried again begins with its bytes, because a step may have changed the value it got.
 *
 * @returns whether its lane may go on
 */
export function failStage<U>(item: BatchItem<U>, error: unknown): boolean {
  if (isPermanent(error)) {
    item.progress = { state: 'faulty', error, reasonCode: error.reasonCode ?? 'rejected-by-step' }
    return true
  }
  item.progress = WAITING
  item.failure = { error }
  return false
}
