import type { Batch, BatchItem, ItemIn } from './batch.js'
import type { BatchStep, BatchStepResult } from './batch-step.js'
import type { Lane } from './lane.js'
import { failStage, leaveStage, standing } from './stages.js'

/** Runs a step for many records on whatever has come to it, in as few calls as its bounds allow. */
export async function runBatchStep<U>(
  batch: Batch<U>,
  step: BatchStep<unknown, unknown>,
  stage: number,
  stages: number,
  mayStart: () => boolean,
): Promise<void> {
  const items = batch.collect(({ progress }) => standing(progress, stage)) as ItemIn<U, 'underway'>[]
  await Promise.all(
    sequencesOf(items, step).map(async (sequence) => {
      const failedLanes = new Set<Lane<U>>()
      for (let rest = sequence; rest.length > 0 && mayStart(); ) {
        const call = rest.slice(0, step.maxBatchRecords)
        const results = await resultsOf(step, call)
        for (const [index, item] of call.entries()) {
          if (!settle(item, results(index), stage, stages)) failedLanes.add(item.lane)
        }
        // Nothing of a key behind its failure.
        rest = rest.slice(call.length).filter(({ lane }) => !failedLanes.has(lane))
      }
    }),
  )
}

/** Calls that may run side by side: the records of a lane are all in one sequence, or two calls could have them at once. */
function sequencesOf<U>(
  items: ItemIn<U, 'underway'>[],
  { maxBatchRecords, maxConcurrency }: BatchStep<unknown, unknown>,
): ItemIn<U, 'underway'>[][] {
  const count = Math.min(maxConcurrency, Math.ceil(items.length / maxBatchRecords))
  if (count <= 1) return [items]
  const sequences = Array.from({ length: count }, (): ItemIn<U, 'underway'>[] => [])
  const sequenceOf = new Map<Lane<U>, ItemIn<U, 'underway'>[]>()
  for (const item of items) {
    let sequence = sequenceOf.get(item.lane)
    if (sequence === undefined) {
      sequence = sequences.reduce((least, next) => (next.length < least.length ? next : least))
      sequenceOf.set(item.lane, sequence)
    }
    sequence.push(item)
  }
  return sequences
}

async function resultsOf<U>(
  step: BatchStep<unknown, unknown>,
  call: readonly ItemIn<U, 'underway'>[],
): Promise<(index: number) => BatchStepResult<unknown>> {
  try {
    const results = await step.run(
      call.map(({ progress }) => progress.value),
      call.map(({ record }) => record.position),
    )
    // One too few or too many, and nobody knows whose the others are.
    if (results?.length !== call.length)
      throw new TypeError(`A batch step gave ${results?.length ?? 'no'} results for ${call.length} records.`)
    return (index) => results[index]
  } catch (cause) {
    const error =
      cause instanceof Error ? cause : new Error('A batch step threw what is no error.', { cause })
    return () => error
  }
}

function settle<U>(
  item: BatchItem<U>,
  result: BatchStepResult<unknown>,
  stage: number,
  stages: number,
): boolean {
  if (result instanceof Error) return failStage(item, result)
  leaveStage(item, result, stage, stages)
  return true
}
