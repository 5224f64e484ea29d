import type { Http2ServerRequest } from 'node:http2'
import { type Random, systemRandom } from '@org/kinesis-core'
import type { FaultAction, FaultPlan } from '../faults.js'
import { type LocalService, ServiceError } from '../service.js'
import { answer, answerError, toServiceError } from './aws-json.js'
import type { WireRequest, WireResponse } from './listener.js'
import { parseJson, readBody } from './request-body.js'
import { preciseNowMs, type RequestObserver, type ServiceName } from './request-observer.js'

export interface Route {
  name: ServiceName
  version: '1.0' | '1.1'
  service: LocalService
}

/** A service that answers raw requests itself. */
export interface RawRoute {
  name: ServiceName
  targetPrefix: string
  handle(
    request: WireRequest,
    response: WireResponse,
    body: Buffer,
    operation: string,
  ): Promise<Buffer | undefined>
}

export interface RouterOptions {
  routes: readonly Route[]
  rawRoutes: readonly RawRoute[]
  onRequest: RequestObserver | undefined
  faults: FaultPlan | undefined
  random?: Random
}

/** Hands each request to the service that its `X-Amz-Target` names, as the AWS JSON protocols do. */
export function createRouter(options: RouterOptions): (request: WireRequest, response: WireResponse) => void {
  const { onRequest, faults, random = systemRandom } = options
  const routes = new Map(options.routes.map((route) => [route.service.targetPrefix, route]))
  const rawRoutes = new Map(options.rawRoutes.map((route) => [route.targetPrefix, route]))
  const calls = new Map<ServiceName, number>()

  return (request, response) => {
    response.on('error', () => {})
    serve(request, response).catch(() => response.destroy())
  }

  async function serve(request: WireRequest, response: WireResponse): Promise<void> {
    if (!isLoopbackHost(hostOf(request))) {
      // A page in a browser can be made to resolve its own name to 127.0.0.1; its requests still carry that name.
      answerError(
        response,
        '1.1',
        new ServiceError('AccessDeniedException', 'Only loopback hosts are answered.', 403),
      )
      return
    }
    const target = String(request.headers['x-amz-target'] ?? '')
    const [prefix = '', operation = ''] = target.split('.')
    const raw = rawRoutes.get(prefix)
    const route = routes.get(prefix)
    let body: Buffer
    try {
      body = await readBody(request)
    } catch (error) {
      answerError(response, '1.1', toServiceError(error))
      return
    }
    if (raw !== undefined) {
      const responseBody = await raw.handle(request, response, body, operation)
      observe(raw.name, operation, response.statusCode, body, responseBody)
      return
    }
    if (route === undefined) {
      answerError(
        response,
        '1.1',
        new ServiceError(
          'UnknownOperationException',
          `X-Amz-Target ${JSON.stringify(target.slice(0, 80))} names no local service.`,
        ),
      )
      return
    }
    await serveRoute(route, operation, body, response)
  }

  async function serveRoute(
    route: Route,
    operation: string,
    body: Buffer,
    response: WireResponse,
  ): Promise<void> {
    const { name, version, service } = route
    const number = (calls.get(name) ?? 0) + 1
    calls.set(name, number)
    const fault = faults?.({ service: name, operation, number })
    if (fault?.kind === 'reset-before') return reset(response)
    let responseBody: Buffer
    try {
      const result = await run(service, operation, body, fault)
      if (fault?.kind === 'stall') await new Promise((resolve) => setTimeout(resolve, fault.delayMs))
      if (fault?.kind === 'reset-after') {
        reset(response)
        observe(name, operation, 0, body, undefined)
        return
      }
      responseBody = answer(response, version, result)
    } catch (error) {
      responseBody = answerError(response, version, toServiceError(error))
    }
    observe(name, operation, response.statusCode, body, responseBody)
  }

  async function run(
    service: LocalService,
    operation: string,
    body: Buffer,
    fault: FaultAction | undefined,
  ): Promise<unknown> {
    if (fault?.kind === 'throttle') {
      throw new ServiceError('ProvisionedThroughputExceededException', 'Rate exceeded (injected).')
    }
    if (fault?.kind === 'error500') throw new ServiceError('InternalFailure', 'Injected.', 500)
    const input = parseJson(body)
    const call = (callInput: Record<string, unknown>) =>
      service.callForWire === undefined
        ? service.call(operation, callInput)
        : service.callForWire(operation, callInput)
    return fault?.kind === 'partial' && operation === 'PutRecords'
      ? putPartially(input, fault.fraction, call)
      : call(input)
  }

  async function putPartially(
    input: Record<string, unknown>,
    fraction: number,
    call: (input: Record<string, unknown>) => unknown,
  ): Promise<unknown> {
    const records = Array.isArray(input.Records) ? input.Records : []
    const isFailed = records.map(() => random() < fraction)
    const kept = records.filter((_, index) => !isFailed[index])
    const result = (
      kept.length === 0 ? { Records: [], FailedRecordCount: 0 } : await call({ ...input, Records: kept })
    ) as {
      Records: unknown[]
      FailedRecordCount: number
    }
    const stored = result.Records[Symbol.iterator]()
    return {
      ...result,
      FailedRecordCount: result.FailedRecordCount + records.length - kept.length,
      Records: isFailed.map((failed) =>
        failed
          ? { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure (injected).' }
          : stored.next().value,
      ),
    }
  }

  function observe(
    service: ServiceName,
    operation: string,
    statusCode: number,
    requestBody: Buffer,
    responseBody: Buffer | undefined,
  ): void {
    onRequest?.({ service, operation, statusCode, requestBody, responseBody, finishedAtMs: preciseNowMs() })
  }
}

function reset(response: WireResponse): void {
  if ('stream' in response) {
    const session = response.stream.session
    if (session !== undefined && !session.destroyed) session.destroy()
    return
  }
  response.socket?.resetAndDestroy()
}

function hostOf(request: WireRequest): string {
  return request.headers.host ?? (request as Http2ServerRequest).authority ?? ''
}

function isLoopbackHost(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host)
}
