import { InvalidOptionError, lambdaQuotas, refuseUnknownOptions } from '@org/kinesis-core'
import { type Admission, admitInvocation } from '../function/admit-invocation.js'
import { type FunctionFault, resolveCommonFunctionOptions } from '../function/function-options.js'
import type { HostDependencies } from '../function/host-dependencies.js'
import { publishInvocation } from '../function/invocation-metrics.js'
import {
  crash,
  type InvocationResult,
  outOfMemory,
  type Settled,
  threw,
  timedOut,
  tooLarge,
} from '../function/invocation-result.js'
import { functionArn } from '../function/lambda-environment.js'
import type { LocalFunction } from '../function/local-function.js'

/** Nobody weighs a handler in process; the figure stands in the words of an injected fault. */
const MEMORY_MB = 512

/** As Lambda's, as far as handlers use it. */
export interface SimulatedContext {
  functionName: string
  functionVersion: string
  invokedFunctionArn: string
  awsRequestId: string
  getRemainingTimeInMillis(): number
}

export interface SimulatedFunctionOptions {
  /** 1 to 64 letters, digits, `-` and `_`. */
  name: string
  /** The handler itself. Give it clients with `clientConfiguration` of the simulation, its clock and its randomness. */
  handler: (event: never, context: SimulatedContext) => unknown
  /** After this an invocation fails, in milliseconds of simulated time, up to 900,000. @default 60_000 */
  timeoutMs?: number
  /** Invocations at once; more wait; up to 1,000. @default 10 */
  maxConcurrency?: number
  /** Decides what goes wrong with an invocation, counted from 1. @default nothing */
  fault?: (invocation: { number: number; event: unknown }) => FunctionFault | undefined
}

/** As a record, so that the compiler asks for an option that is missing here. */
const KNOWN: Record<keyof SimulatedFunctionOptions, true> = {
  name: true,
  handler: true,
  timeoutMs: true,
  maxConcurrency: true,
  fault: true,
}

/**
 * A handler in the simulation's own process, with a JSON round trip on the way in and out. It cannot be killed: after a timeout or a
 * crash what it has begun goes on, as the requests do that a dying process has already sent.
 */
export function createInProcessFunction(
  options: SimulatedFunctionOptions,
  deps: HostDependencies,
  onSettled: (number: number, event: unknown, result: Settled) => void,
): LocalFunction {
  refuseUnknownOptions(options, Object.keys(KNOWN))
  const { name, timeoutMs, maxConcurrency, fault: faultOf } = resolveCommonFunctionOptions(options)
  const { handler } = options
  if (typeof handler !== 'function')
    throw new InvalidOptionError('handler', handler, 'Pass the handler, a function of event and context.')
  if (handler.length >= 3)
    throw new InvalidOptionError(
      'handler',
      handler,
      'Make it a function of event and context that returns a promise: Lambda calls back no handler since Node.js 24 (Runtime.CallbackHandlerDeprecated).',
    )
  const { clock } = deps
  const arn = functionArn(name, deps)
  const waiting: (() => void)[] = []
  const counts = { invocations: 0, failed: 0, running: 0 }
  let closed = false

  async function attempt(admission: Admission, requestId: string): Promise<Settled> {
    if (closed) return crash(requestId, 'the function is closed')
    if ('refused' in admission) return admission.refused
    const { event, fault } = admission
    if (fault === 'crash-before') return crash(requestId, 'an injected crash')
    const deadlineMs = clock.now() + timeoutMs
    const context: SimulatedContext = {
      functionName: name,
      functionVersion: '$LATEST',
      invokedFunctionArn: arn,
      awsRequestId: requestId,
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - clock.now()),
    }
    return new Promise((resolve) => {
      const cancel = clock.schedule(timeoutMs, () => resolve(timedOut(requestId, timeoutMs)))
      run(handler, event, context).then((result) => {
        // The handler did its work, and nobody hears of it.
        if (fault === 'timeout') return
        cancel()
        if (fault === 'crash-after') resolve(crash(requestId, 'an injected crash'))
        else if (fault === 'out-of-memory') resolve(outOfMemory(requestId, MEMORY_MB + 1, MEMORY_MB))
        else resolve(result)
      })
    })
  }

  return {
    name,
    arn,

    async invoke(event) {
      counts.invocations += 1
      const number = counts.invocations
      const admission = admitInvocation(number, event, faultOf)
      while (counts.running >= maxConcurrency) await new Promise<void>((resolve) => waiting.push(resolve))
      counts.running += 1
      const startedAtMs = clock.now()
      const requestId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
      const result = await attempt(admission, requestId)
      counts.running -= 1
      waiting.shift()?.()
      const durationMs = clock.now() - startedAtMs
      publishInvocation(deps, name, result, durationMs)
      if (!result.ok) counts.failed += 1
      onSettled(number, event, result)
      return { ...result, durationMs } as InvocationResult
    },

    stats: () => ({
      invocations: counts.invocations,
      failedInvocations: counts.failed,
      running: counts.running,
      waiting: waiting.length,
      processes: 0,
      startedProcesses: 0,
    }),

    async close() {
      closed = true
    },
  }
}

async function run(
  handler: SimulatedFunctionOptions['handler'],
  json: string,
  context: SimulatedContext,
): Promise<Settled> {
  try {
    const response = JSON.stringify(await handler(JSON.parse(json) as never, context)) ?? 'null'
    if (Buffer.byteLength(response) > lambdaQuotas.maxPayloadBytes)
      return tooLarge('Function.ResponseSizeTooLarge', 'Response', response)
    return { ok: true, payload: JSON.parse(response) }
  } catch (error) {
    return threw(error)
  }
}
