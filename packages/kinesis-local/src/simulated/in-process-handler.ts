import { type Clock, type Random, sleep } from '@org/kinesis-core'
import { callWithFault, drawFaults, type FaultTarget } from '../faults/call-with-fault.js'
import { dateHeader } from '../faults/clock-skew.js'
import type { FaultAction, FaultPlan } from '../faults/fault-action.js'
import { ServiceError } from '../service.js'
import { toServiceError } from '../wire/aws-json.js'
import { queryErrorXml } from '../wire/query-protocol.js'
import type { ServiceName } from '../wire/request-observer.js'

interface SimulatedRoute extends FaultTarget {
  /** What to do in place of operations that a simulation has not, by their names. @default it has all */
  instead?: ReadonlyMap<string, string>
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
  const draw = drawFaults(faults)

  /** Where it takes no time, nobody needs to move the clock. */
  async function travel(): Promise<void> {
    const ms = latencyMs()
    if (ms > 0) await sleep(clock, ms)
  }

  async function answer(request: SdkRequest): Promise<SdkResponse> {
    const target = headerOf(request, 'x-amz-target')
    const [prefix = '', operation = ''] = target.split('.')
    const route = routes.get(prefix)
    const instead = route?.instead?.get(operation)
    if (route === undefined || instead !== undefined) return refuse(request, target, instead)
    const { name: service } = route
    const input = parse(request.body)
    const { number, fault } = draw(route, operation, () => input)
    const tell = (outcome: string) =>
      onCall({
        service,
        operation,
        number,
        outcome: fault === undefined ? outcome : `${outcome} (${fault.kind})`,
        count: countOf(input),
      })

    await travel()
    if (fault?.kind === 'late') await sleep(clock, fault.delayMs)
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
    route: SimulatedRoute,
    operation: string,
    input: Record<string, unknown>,
    fault: FaultAction | undefined,
    amzDate: string,
  ): Promise<{ response: SdkResponse; outcome: string }> {
    try {
      const how = { fault, amzDate, blobs: 'base64', random } as const
      const result = await callWithFault(route, operation, () => input, how)
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

/** What a simulation has not is said in the client's own protocol, and with what to do. */
function refuse(request: SdkRequest, target: string, instead = 'Use startLocal.'): SdkResponse {
  const isForm = headerOf(request, 'content-type').startsWith('application/x-www-form-urlencoded')
  const what = isForm ? 'the query protocol, which SNS speaks' : JSON.stringify(target.slice(0, 80))
  const text = `A simulation has nothing for ${what}. ${instead}`
  const error = new ServiceError('UnknownOperationException', text)
  if (!isForm) return errorResponse(error)
  const body = new Uint8Array(Buffer.from(queryErrorXml(error, 'http://localhost/')))
  return { statusCode: error.statusCode, headers: { 'content-type': 'text/xml' }, body }
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
