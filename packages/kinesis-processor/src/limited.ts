import { refuseUnknownOptions } from '@org/kinesis-core'
import { isPromise } from './decode-record.js'
import { requireFunction, whole } from './option-checks.js'
import type { Step } from './step.js'

/**
 * A step that runs for at most so many records at once, whatever the handler's own `maxConcurrency`: for a service that takes no more.
 * Others wait in the order in which they came.
 *
 * @param options.maxConcurrency records at once, 1 or more
 * @throws InvalidOptionError for options that cannot work
 */
export function limited<In, Out>(step: Step<In, Out>, options: { maxConcurrency: number }): Step<In, Out> {
  requireFunction('step', step, 'Pass a function of a value and its position.')
  refuseUnknownOptions(options, ['maxConcurrency'])
  const maxConcurrency = whole('maxConcurrency', options.maxConcurrency, 1)
  const waiting: (() => void)[] = []
  let running = 0

  const end = () => {
    const next = waiting.shift()
    // Whoever waited takes the place over, so that nobody slips in between.
    if (next === undefined) running -= 1
    else next()
  }
  const start: Step<In, Out> = (value, position) => {
    let outcome: ReturnType<Step<In, Out>>
    try {
      outcome = step(value, position)
    } catch (error) {
      end()
      throw error
    }
    if (isPromise(outcome)) return outcome.finally(end)
    end()
    return outcome
  }
  return (value, position) => {
    if (running >= maxConcurrency) {
      return new Promise<void>((resolve) => waiting.push(resolve)).then(() => start(value, position))
    }
    running += 1
    return start(value, position)
  }
}
