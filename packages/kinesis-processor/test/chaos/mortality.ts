import { AsyncLocalStorage } from 'node:async_hooks'
import type { KinesisBatchResponse, KinesisEvent, LambdaContext } from '@org/kinesis-core'
import type { KinesisHandler } from '../../src/index.js'

interface Life {
  isOver(): boolean
  end(): void
}

const lives = new AsyncLocalStorage<Life>()

/** A process that is gone answers to nobody. */
const never = () => new Promise<never>(() => {})

/**
 * Lets invocations die in the middle of their work, as processes do: a crash fails the invocation at once, and from then on, as after its
 * time is over, nothing that it began is heard of, and nothing new is begun.
 */
export function mortal(handler: KinesisHandler): KinesisHandler {
  return (event: KinesisEvent, context: LambdaContext) =>
    new Promise<KinesisBatchResponse>((resolve, reject) => {
      let hasCrashed = false
      const life: Life = {
        isOver: () => hasCrashed || context.getRemainingTimeInMillis() <= 0,
        end() {
          hasCrashed = true
          reject(new Error('An injected crash.'))
        },
      }
      lives.run(life, () => handler(event, context)).then(resolve, reject)
    })
}

/** Around whatever leaves the process: `crashes` is asked before it, and after it. */
export async function outside<R>(crashes: () => boolean, work: () => Promise<R>): Promise<R> {
  const life = lives.getStore()
  if (life === undefined) return work()
  if (!life.isOver() && crashes()) life.end()
  if (life.isOver()) return never()
  try {
    return await work()
  } finally {
    if (!life.isOver() && crashes()) life.end()
    if (life.isOver()) await never()
  }
}

/** The invocation that runs. */
export function currentLife(): object | undefined {
  return lives.getStore()
}
