import type { Http2ServerRequest } from 'node:http2'
import { type Clock, type Random, sleep } from '@org/kinesis-core'
import { callWithFault, drawFaults, type FaultTarget } from '../faults/call-with-fault.js'
import { dateHeader } from '../faults/clock-skew.js'
import type { FaultPlan } from '../faults/fault-action.js'
import { type EventStreamResult, ServiceError } from '../service.js'
import { answerEventStream } from './answer-event-stream.js'
import { answerError, toServiceError } from './aws-json.js'
import { AMZ_CBOR, RPC_CBOR } from './cbor-format.js'
import { cutConnection, damageAnswer } from './damage-answer.js'
import type { WireRequest, WireResponse } from './listener.js'
import { answerQueryError, parseQuery, type QueryProtocol } from './query-protocol.js'
import { readBody } from './request-body.js'
import { preciseNowMs, type RequestObservation, type RequestObserver } from './request-observer.js'
import { jsonFormat, queryFormat, type WireFormat } from './wire-format.js'

export interface Route extends FaultTarget {
  /** Of AWS JSON. */
  version: '1.0' | '1.1'
  /** Where clients speak the query protocol. */
  query?: QueryProtocol
  /** Beside JSON: with the target in a header, as the Java SDK has it, or with the operation in the path. */
  cbor?: 'amz' | 'rpc-v2'
}

export interface RouterOptions {
  routes: readonly Route[]
  onRequest: RequestObserver | undefined
  faults: FaultPlan | undefined
  clock: Clock
  random: Random
  /** Ends the waiting of stalled answers. */
  closing: AbortSignal
}

/** Hands each request to the service that its `X-Amz-Target` names, as the AWS JSON protocols do, or its `Version`, as the query protocol. */
export function createRouter(options: RouterOptions): (request: WireRequest, response: WireResponse) => void {
  const { onRequest, faults, clock, random, closing } = options
  const routes = new Map(options.routes.map((route) => [route.service.targetPrefix, route]))
  const queryRoutes = new Map(options.routes.map((route) => [route.query?.version, route]))
  const draw = drawFaults(faults)

  return (request, response) => {
    response.on('error', () => {})
    serve(request, response).catch((error) => answerError(response, '1.1', toServiceError(error)))
  }

  async function serve(request: WireRequest, response: WireResponse): Promise<void> {
    const body = await readBody(request)
    const amzDate = request.headers['x-amz-date'] as string | undefined
    if (!isLoopbackHost(hostOf(request))) {
      // A page in a browser can be made to resolve its own name to 127.0.0.1; its requests still carry that name.
      throw new ServiceError('AccessDeniedException', 'Only loopback hosts are answered.', 403)
    }
    if (isFromAPage(request)) {
      // A form needs no leave to be sent across sites.
      throw new ServiceError('AccessDeniedException', 'Pages of other hosts are not answered.', 403)
    }
    if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
      return serveQuery(body, response, amzDate)
    }
    const rpc = rpcOperation(request)
    if (rpc !== undefined) {
      const route = routes.get(rpc.service)
      if (route?.cbor === 'rpc-v2') return serveRoute(route, rpc.operation, body, response, RPC_CBOR, amzDate)
    }
    const target = String(request.headers['x-amz-target'] ?? '')
    const dot = target.indexOf('.')
    const route = routes.get(target.slice(0, Math.max(0, dot)))
    if (route === undefined || request.method !== 'POST') {
      const shown = JSON.stringify(target.slice(0, 80))
      throw new ServiceError(
        'UnknownOperationException',
        `${request.method} with X-Amz-Target ${shown} names no operation of a local service.`,
      )
    }
    const isCbor = request.headers['content-type']?.includes('cbor') ?? false
    if (isCbor && route.cbor !== 'amz') {
      throw new ServiceError('SerializationException', `CBOR is not spoken to ${route.name} here. Use JSON.`)
    }
    const format = isCbor ? AMZ_CBOR : jsonFormat(route.version)
    await serveRoute(route, target.slice(dot + 1), body, response, format, amzDate)
  }

  async function serveQuery(
    body: Buffer,
    response: WireResponse,
    amzDate: string | undefined,
  ): Promise<void> {
    try {
      const { action, version, input } = parseQuery(body)
      const route = version === '' ? undefined : queryRoutes.get(version)
      if (route?.query === undefined) {
        throw new ServiceError(
          'InvalidAction',
          `Action ${JSON.stringify(action.slice(0, 80))} of version ${JSON.stringify(version.slice(0, 80))} names no operation of a local service.`,
        )
      }
      await serveRoute(route, action, body, response, queryFormat(route.query, input), amzDate)
    } catch (error) {
      answerQueryError(response, { xmlNamespace: 'http://localhost/' }, toServiceError(error))
    }
  }

  async function serveRoute(
    route: Route,
    operation: string,
    requestBody: Buffer,
    response: WireResponse,
    format: WireFormat,
    amzDate: string | undefined,
  ): Promise<void> {
    const { name: service } = route
    const read = () => format.read(requestBody)
    const { number, fault } = draw(route, operation, read)
    if (fault?.kind === 'late') await sleep(clock, fault.delayMs, closing)
    if (fault?.kind === 'truncate' || fault?.kind === 'reset-amid') damageAnswer(response, fault.kind)
    if (fault?.kind === 'clock-skew') response.setHeader('date', dateHeader(Date.now() + fault.skewMs).date)
    let responseBody: Buffer | undefined
    if (fault?.kind === 'reset-before') cutConnection(response)
    else {
      const options = { fault, amzDate, blobs: format.blobs, random, gone: goneOf(response) }
      const outcome = await settle(() => callWithFault(route, operation, read, options))
      if (fault?.kind === 'stall') await sleep(clock, fault.delayMs, closing)
      if (fault?.kind === 'reset-after') cutConnection(response)
      else if ('error' in outcome) responseBody = format.answerError(response, toServiceError(outcome.error))
      else if (isEventStream(outcome.result)) {
        responseBody = Buffer.alloc(0)
        await answerEventStream(response, outcome.result.EventStream, format.event, closing)
      } else responseBody = format.answer(response, operation, outcome.result)
    }
    const statusCode = responseBody === undefined ? 0 : response.statusCode
    observe({
      service,
      operation,
      number,
      ...(fault === undefined ? {} : { fault }),
      statusCode,
      requestBody,
      responseBody,
      finishedAtMs: preciseNowMs(),
    })
  }

  function observe(observation: RequestObservation): void {
    try {
      onRequest?.(observation)
    } catch (error) {
      // The caller's own fault, which belongs to no request: it must not be lost in the answer to one.
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

/** Aborts when the client has gone, or has its answer. */
function goneOf(response: WireResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => controller.abort())
  return controller.signal
}

async function settle(run: () => Promise<unknown>): Promise<{ result: unknown } | { error: unknown }> {
  try {
    return { result: await run() }
  } catch (error) {
    return { error }
  }
}

function isEventStream(result: unknown): result is EventStreamResult {
  return typeof result === 'object' && result !== null && 'EventStream' in result
}

/** Smithy RPC v2 names service and operation in the path. */
function rpcOperation(request: WireRequest): { service: string; operation: string } | undefined {
  if (request.headers['smithy-protocol'] !== 'rpc-v2-cbor' || request.method !== 'POST') return undefined
  const [, service, operation] = /^\/service\/([^/?]+)\/operation\/([^/?]+)$/.exec(request.url ?? '') ?? []
  return service === undefined || operation === undefined ? undefined : { service, operation }
}

function hostOf(request: WireRequest): string {
  return request.headers.host ?? (request as Http2ServerRequest).authority ?? ''
}

/** Browsers say where a request comes from; SDKs and the AWS CLI do not. */
function isFromAPage({ headers }: WireRequest): boolean {
  const { origin } = headers
  if (headers['sec-fetch-site'] === 'cross-site') return true
  return origin !== undefined && !(URL.canParse(origin) && isLoopbackHost(new URL(origin).host))
}

function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host)
}
