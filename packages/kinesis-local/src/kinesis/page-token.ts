import { ServiceError } from '../service.js'
import type { Request } from './request.js'

/** A token lives as long as an iterator (API reference, ListShards and ListStreamConsumers). */
const TOKEN_LIFETIME_MS = 300_000

/** What a list goes on from, in the opaque text that the next call brings back. */
export function pageToken(fields: Record<string, unknown>, nowMs: number): string {
  return Buffer.from(JSON.stringify({ ...fields, issuedAtMs: nowMs })).toString('base64')
}

export function readPageToken(text: string, nowMs: number): Record<string, unknown> {
  const fields = parse(text)
  const issuedAtMs = fields?.issuedAtMs
  if (fields === undefined || typeof issuedAtMs !== 'number') throw invalidToken()
  if (nowMs - issuedAtMs > TOKEN_LIFETIME_MS) {
    throw new ServiceError('ExpiredNextTokenException', 'NextToken expired.')
  }
  return fields
}

/** What the token says already (API reference: "You cannot specify this parameter if you specify the NextToken parameter"). */
export function refuseBesideToken(request: Request, names: readonly string[]): void {
  for (const name of names) {
    if (!request.has(name)) continue
    throw new ServiceError('InvalidArgumentException', `NextToken and ${name} cannot be provided together.`)
  }
}

export function invalidToken(): ServiceError {
  return new ServiceError('InvalidArgumentException', 'Invalid NextToken.')
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const fields: unknown = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
