import type { Batch, BatchItem } from './batch.js'
import { decodeOrReject, isPromise } from './decode-record.js'
import type { ResolvedHandlerOptions } from './handler-options.js'
import { inParallel } from './in-parallel.js'
import type { Lane } from './lane.js'
import { runBatchStep } from './run-batch-step.js'
import { failStage, isBatchStage, leaveStage, standing } from './stages.js'
import type { Step } from './step.js'
import type { RecordPosition } from './stream-record.js'

/**
 * Decodes and runs the steps of what waits in these lanes, as long as there is time: lanes side by side, the records of one in order. A step
 * for many records waits for all that come to it in this pass.
 */
export async function runSteps<T, U>(
  batch: Batch<U>,
  lanes: readonly Lane<U>[],
  options: ResolvedHandlerOptions<T, U>,
  mayStart: () => boolean,
): Promise<void> {
  const { stages } = options
  for (const [number, stage] of stages.entries()) {
    if (isBatchStage(stage)) await runBatchStep(batch, stage, number, stages.length, mayStart)
    else await new LaneRunner<T, U>(stage, number, options, mayStart).run(lanes)
  }
}

/** Where a lane waits for a promise. */
interface Pause {
  at: number
  outcome: PromiseLike<unknown>
}

/** Runs one stage on lanes. Waits only where a step does: most are plain functions, and a promise for each costs more than they do. */
class LaneRunner<T, U> {
  constructor(
    private readonly steps: readonly Step<unknown, unknown>[],
    private readonly stage: number,
    private readonly options: ResolvedHandlerOptions<T, U>,
    private readonly mayStart: () => boolean,
  ) {}

  run(lanes: readonly Lane<U>[]): Promise<void> {
    return inParallel(lanes, this.options.maxConcurrency, (lane) => {
      const pause = this.#goOn(lane, lane.headAt)
      return pause === undefined ? undefined : this.#finish(lane, pause)
    })
  }

  /** The rest of a lane in which a step takes time. */
  async #finish(lane: Lane<U>, first: Pause): Promise<void> {
    let pause: Pause | undefined = first
    while (pause !== undefined) {
      const { at, outcome }: Pause = pause
      pause = (await this.#settleLater(lane.items[at]!, outcome)) ? this.#goOn(lane, at + 1) : undefined
    }
  }

  /** To the end of the lane, or of what can be done of it, or until a step takes time. */
  #goOn(lane: Lane<U>, from: number): Pause | undefined {
    const { items } = lane
    const { stage, options } = this
    for (let at = from; at < items.length; at++) {
      const item = items[at]!
      const place = standing(item.progress, stage)
      if (place === 'pass') continue
      if (place === 'stop' || !this.mayStart()) return undefined
      try {
        const outcome = this.#transform(item)
        if (isPromise(outcome)) return { at, outcome }
        leaveStage(item, outcome, stage, options.stages.length)
      } catch (error) {
        if (!failStage(item, error)) return undefined
      }
    }
    return undefined
  }

  async #settleLater(item: BatchItem<U>, outcome: PromiseLike<unknown>): Promise<boolean> {
    try {
      leaveStage(item, await outcome, this.stage, this.options.stages.length)
      return true
    } catch (error) {
      return failStage(item, error)
    }
  }

  #transform({ record, progress }: BatchItem<U>): unknown {
    const { steps } = this
    const { data, position } = record
    let value: unknown =
      progress.state === 'underway' ? progress.value : decodeOrReject(this.options.decode, data)
    for (let index = 0; index < steps.length; index++) {
      if (isPromise(value)) return finish(value, steps.slice(index), position)
      if (value === undefined) return undefined
      value = steps[index]!(value, position)
    }
    return value
  }
}

async function finish(
  first: Promise<unknown>,
  steps: readonly Step<unknown, unknown>[],
  position: RecordPosition,
): Promise<unknown> {
  let value = await first
  for (const step of steps) {
    if (value === undefined) return undefined
    value = await step(value, position)
  }
  return value
}
