import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ServiceError } from '../service.js'
import type { WireRequest } from './listener.js'

/** Above any request that the services take: 10 MiB of records in base64, with keys and JSON around them. */
const MAX_BODY_BYTES = 32 * 1024 * 1024

const unzip = promisify(gunzip)

/** The whole body, decompressed where the client compressed it, as some SDKs do with metrics. */
export async function readBody(request: WireRequest): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES)
      throw new ServiceError('RequestEntityTooLargeException', 'The request is too large.', 413)
    chunks.push(chunk)
  }
  const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  if (request.headers['content-encoding'] !== 'gzip') return body
  try {
    return await unzip(body, { maxOutputLength: MAX_BODY_BYTES })
  } catch {
    throw new ServiceError('SerializationException', 'The body is no gzip, or is too large when unpacked.')
  }
}

export function parseJson(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {}
  let input: unknown
  try {
    input = JSON.parse(body.toString('utf8'))
  } catch {
    throw new ServiceError('SerializationException', 'The body is no JSON.')
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ServiceError('SerializationException', 'The body is no JSON object.')
  }
  return input as Record<string, unknown>
}
