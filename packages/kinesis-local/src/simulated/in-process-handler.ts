import { type Clock, type Random, sleep } from '@org/kinesis-core'
import { dateHeader, refuseSkewed } from '../faults/clock-skew.js'
import type { FaultAction, FaultPlan } from '../faults/fault-action.js'
import { type LocalService, ServiceError } from '../service.js'
import { toServiceError } from '../wire/aws-json.js'
import { putPartially } from '../wire/put-partially.js'
import type { ServiceName } from '../wire/request-observer.js'

interface SimulatedRoute {
  name: ServiceName
  service: LocalService
  throttlingCode: string
}

export interface InProcessHandlerOptions {
  routes: readonly SimulatedRoute[]
  faults: FaultPlan
  /** How long the way to the service takes, and the way back; asked for each. */
  latencyMs: () => number
  clock: Clock
  random: Random
  onCall: (call: {
    service: ServiceName
    operation: string
    number: number
    outcome: string
    count: number
  }) => void
}

interface SdkRequest {
  headers: Record<string, string>
  body?: unknown
}

interface SdkResponse {
  statusCode: number
  headers: Record<string, string>
  body: Uint8Array
}

/** The `requestHandler` of any AWS SDK client: its requests go to the services without a socket, and take simulated time. */
export interface InProcessHandler {
  handle(request: SdkRequest, options?: { abortSignal?: unknown }): Promise<{ response: SdkResponse }>
  updateHttpClientConfig(): void
  httpHandlerConfigs(): Record<string, never>
  destroy(): void
}

export function createInProcessHandler(options: InProcessHandlerOptions): InProcessHandler {
  const { faults, latencyMs, clock, random, onCall } = options
  const routes = new Map(options.routes.map((route) => [route.service.targetPrefix, route]))
  const calls = new Map<ServiceName, number>()

  /** Where it takes no time, nobody needs to move the clock. */
  async function travel(): Promise<void> {
    const ms = latencyMs()
    if (ms > 0) await sleep(clock, ms)
  }

  async function answer(request: SdkRequest): Promise<SdkResponse> {
    const target = headerOf(request, 'x-amz-target')
    const [prefix = '', operation = ''] = target.split('.')
    const route = routes.get(prefix)
    if (route === undefined) {
      const text = `A simulation has no service for the target ${JSON.stringify(target.slice(0, 80))}.`
      return errorResponse(new ServiceError('UnknownOperationException', text))
    }
    const { name: service } = route
    const number = (calls.get(service) ?? 0) + 1
    calls.set(service, number)
    const input = parse(request.body)
    const fault = faults({
      service,
      operation,
      number,
      shardIds: () => shardsOf(route.service, operation, input),
    })
    const tell = (outcome: string) =>
      onCall({
        service,
        operation,
        number,
        outcome: fault === undefined ? outcome : `${outcome} (${fault.kind})`,
        count: countOf(input),
      })

    await travel()
    if (fault?.kind === 'reset-before') {
      tell('reset')
      throw connectionReset()
    }
    const { response, outcome } = await run(route, operation, input, fault, headerOf(request, 'x-amz-date'))
    tell(outcome)
    if (fault?.kind === 'stall') await sleep(clock, fault.delayMs)
    await travel()
    if (fault?.kind === 'reset-after' || fault?.kind === 'reset-amid') throw connectionReset()
    if (fault?.kind === 'truncate') response.body = response.body.subarray(0, response.body.length >> 1)
    // Signing goes by the machine's clock, so that of the service does here as well.
    if (fault?.kind === 'clock-skew') Object.assign(response.headers, dateHeader(Date.now() + fault.skewMs))
    return response
  }

  async function run(
    { service, throttlingCode }: SimulatedRoute,
    operation: string,
    input: Record<string, unknown>,
    fault: FaultAction | undefined,
    amzDate: string,
  ): Promise<{ response: SdkResponse; outcome: string }> {
    try {
      if (fault?.kind === 'throttle') throw new ServiceError(throttlingCode, 'Rate exceeded (injected).')
      if (fault?.kind === 'clock-skew') refuseSkewed(amzDate, Date.now() + fault.skewMs)
      if (fault?.kind === 'error500') throw new ServiceError('InternalFailure', 'Injected.', 500)
      const call = (callInput: Record<string, unknown>) =>
        service.callForWire?.(operation, callInput) ?? service.call(operation, callInput)
      const result =
        fault?.kind === 'partial' && operation === 'PutRecords'
          ? await putPartially(input, fault.fraction, random, call)
          : await call(input)
      return { response: jsonResponse(200, result ?? {}), outcome: outcomeOf(result) }
    } catch (error) {
      const serviceError = toServiceError(error)
      return { response: errorResponse(serviceError), outcome: serviceError.code }
    }
  }

  return {
    handle: (request, { abortSignal } = {}) =>
      new Promise((resolve, reject) => {
        // Two kinds of signals are allowed by the SDK's types; everybody passes the platform's.
        const signal = abortSignal as AbortSignal | undefined
        const abort = () => reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }))
        if (signal?.aborted) return abort()
        signal?.addEventListener('abort', abort, { once: true })
        answer(request)
          .then((response) => resolve({ response }), reject)
          .finally(() => signal?.removeEventListener('abort', abort))
      }),
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy() {},
  }
}

function shardsOf(
  service: LocalService,
  operation: string,
  input: Record<string, unknown>,
): readonly string[] {
  try {
    return service.shardsOf?.(operation, input) ?? []
  } catch {
    return []
  }
}

function headerOf({ headers }: SdkRequest, name: string): string {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? ''
}

const utf8 = new TextDecoder()

function parse(body: unknown): Record<string, unknown> {
  if (body === undefined || body === null || body === '') return {}
  return JSON.parse(typeof body === 'string' ? body : utf8.decode(body as Uint8Array)) as Record<
    string,
    unknown
  >
}

function jsonResponse(statusCode: number, body: unknown, headers: Record<string, string> = {}): SdkResponse {
  // A copy, because a Buffer's memory is shared.
  return {
    statusCode,
    headers: { 'content-type': 'application/x-amz-json-1.1', ...headers },
    body: new Uint8Array(Buffer.from(JSON.stringify(body))),
  }
}

function errorResponse({ code, message, statusCode, headers }: ServiceError): SdkResponse {
  return jsonResponse(statusCode, { __type: code, message }, { 'x-amzn-errortype': code, ...headers })
}

function connectionReset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' })
}

function countOf({ Records, Entries, RequestItems }: Record<string, unknown>): number {
  const list = Records ?? Entries
  if (Array.isArray(list)) return list.length
  if (typeof RequestItems !== 'object' || RequestItems === null) return 1
  return Object.values(RequestItems).reduce((sum: number, of) => sum + (Array.isArray(of) ? of.length : 1), 0)
}

function outcomeOf(result: unknown): string {
  const failed = (result as { FailedRecordCount?: number } | undefined)?.FailedRecordCount ?? 0
  return failed === 0 ? 'ok' : `ok but ${failed}`
}
