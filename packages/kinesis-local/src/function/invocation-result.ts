import { lambdaQuotas } from '@org/kinesis-core'

/** How an invocation ended. `errorType` and `errorMessage` are Lambda's. */
export type InvocationResult =
  | { ok: true; payload: unknown; durationMs: number }
  | {
      ok: false
      kind: 'error' | 'timeout' | 'crash' | 'payload-too-large' | 'throttled'
      errorType: string
      errorMessage: string
      /** The handler's stack, where it threw. */
      trace?: string[]
      durationMs: number
    }

/** A result whose duration is still to be filled in. */
export type Settled =
  | { ok: true; payload: unknown }
  | Omit<Extract<InvocationResult, { ok: false }>, 'durationMs'>

export function failed(errorType: string, errorMessage: string): Settled {
  return { ok: false, kind: 'error', errorType, errorMessage }
}

/** The error of the handler, or of another function of the caller's, in this process. */
export function threw(error: unknown): Settled {
  const { name = 'Error', message = String(error), stack } = error instanceof Error ? error : {}
  return {
    ok: false,
    kind: 'error',
    errorType: name,
    errorMessage: message,
    ...(stack === undefined ? {} : { trace: stack.split('\n') }),
  }
}

export function crash(requestId: string, reason: string): Settled {
  return {
    ok: false,
    kind: 'crash',
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${reason}`,
  }
}

export function outOfMemory(requestId: string, residentMb: number, limitMb: number): Settled {
  return {
    ok: false,
    kind: 'crash',
    errorType: 'Runtime.OutOfMemory',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed (resident size ${residentMb} MB, limit ${limitMb} MB)`,
  }
}

export function tooLarge(errorType: string, which: string, json: string): Settled {
  return {
    ok: false,
    kind: 'payload-too-large',
    errorType,
    errorMessage: `${which} payload of ${Buffer.byteLength(json)} bytes is over the maximum of ${lambdaQuotas.maxPayloadBytes} bytes`,
  }
}

export function timedOut(requestId: string, timeoutMs: number): Settled {
  return {
    ok: false,
    kind: 'timeout',
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1_000).toFixed(2)} seconds`,
  }
}

/** The function was not invoked: it has no concurrency left. */
export function throttled(): Settled {
  return {
    ok: false,
    kind: 'throttled',
    errorType: 'TooManyRequestsException',
    errorMessage: 'Rate Exceeded.',
  }
}
