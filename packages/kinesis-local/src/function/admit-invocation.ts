import { lambdaQuotas } from '@org/kinesis-core'
import type { FunctionFault, LocalFunctionOptions } from './function-options.js'
import { failed, type Settled, threw, throttled, tooLarge } from './invocation-result.js'

/** An invocation whose handler is to run, or how it ended before that. */
export type Admission =
  | { event: string; fault: Exclude<FunctionFault, 'throw' | 'throttle'> | undefined }
  | { refused: Settled }

/** Whether the handler runs at all: the event must be JSON, and fit, and no fault may come before. Never throws. */
export function admitInvocation(
  number: number,
  event: unknown,
  faultOf: NonNullable<LocalFunctionOptions['fault']>,
): Admission {
  let json: string
  let fault: FunctionFault | undefined
  try {
    json = JSON.stringify(event) ?? 'null'
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { refused: failed('InvalidRequestContentException', `The event cannot be JSON: ${reason}`) }
  }
  try {
    fault = faultOf({ number, event })
  } catch (error) {
    return { refused: threw(error) }
  }
  if (Buffer.byteLength(json) > lambdaQuotas.maxPayloadBytes) {
    return { refused: tooLarge('RequestTooLargeException', 'Request', json) }
  }
  if (fault === 'throttle') return { refused: throttled() }
  if (fault === 'throw') return { refused: failed('InjectedFault', 'An injected fault') }
  return { event: json, fault }
}
