import { randomUUID } from 'node:crypto'
import { ServiceError } from '../service.js'
import type { WireResponse } from './listener.js'

/** Answers in AWS JSON: an object, nothing, or an error with its type. */
export function answer(response: WireResponse, version: '1.0' | '1.1', result: unknown): Buffer {
  const body = Buffer.from(result === undefined ? '' : JSON.stringify(result))
  send(response, 200, body, { 'content-type': `application/x-amz-json-${version}` })
  return body
}

export function answerError(response: WireResponse, version: '1.0' | '1.1', error: ServiceError): Buffer {
  const body = Buffer.from(JSON.stringify({ __type: error.code, message: error.message }))
  send(response, error.statusCode, body, {
    'content-type': `application/x-amz-json-${version}`,
    'x-amzn-errortype': error.code,
    ...error.headers,
  })
  return body
}

export function send(
  response: WireResponse,
  status: number,
  body: Buffer,
  headers: Record<string, string>,
): void {
  // The client may have gone away while its call ran.
  if (response.destroyed || response.headersSent) return
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-length', String(body.length))
  response.setHeader('x-amzn-requestid', randomUUID())
  ;(response.end as (body: Buffer) => void).call(response, body)
}

/** What a handler threw, as the service would put it: what it does not know is its own fault. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  return new ServiceError('InternalFailure', error instanceof Error ? error.message : String(error), 500)
}
