import type { ServiceError } from '../service.js'
import { answer, answerError } from './aws-json.js'
import type { WireResponse } from './listener.js'
import { typeMembers } from './query-members.js'
import { answerQuery, answerQueryError, type QueryProtocol } from './query-protocol.js'
import { parseJson } from './request-body.js'

/** How one request is read, and how it is answered: a service may be spoken to in several ways. */
export interface WireFormat {
  /** Whether it has bytes of its own, or carries them as text. */
  blobs: 'bytes' | 'base64'
  read(body: Buffer): Record<string, unknown>
  answer(response: WireResponse, operation: string, result: unknown): Buffer
  answerError(response: WireResponse, error: ServiceError): Buffer
  /** How the events of an event stream are written. */
  event: EventFormat
}

export interface EventFormat {
  contentType: string
  encode(payload: unknown): Buffer
}

const JSON_EVENT: EventFormat = {
  contentType: 'application/json',
  encode: (payload) => Buffer.from(JSON.stringify(payload)),
}

export function jsonFormat(version: '1.0' | '1.1'): WireFormat {
  return {
    blobs: 'base64',
    event: JSON_EVENT,
    read: parseJson,
    answer: (response, _operation, result) => answer(response, version, result),
    answerError: (response, error) => answerError(response, version, error),
  }
}

/** The form was read already: only it says which service is meant. */
export function queryFormat(protocol: QueryProtocol, input: Record<string, unknown>): WireFormat {
  return {
    blobs: 'base64',
    event: JSON_EVENT,
    read: () =>
      protocol.members === undefined
        ? input
        : (typeMembers(input, protocol.members) as Record<string, unknown>),
    answer: (response, operation, result) => answerQuery(response, protocol, operation, result),
    answerError: (response, error) => answerQueryError(response, protocol, error),
  }
}
