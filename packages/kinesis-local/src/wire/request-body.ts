import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ServiceError } from '../service.js'
import { hasTooManyValues, MAX_BODY_BYTES, MAX_BODY_VALUES, MAX_UNPACKED_BYTES } from './body-bounds.js'
import type { WireRequest } from './listener.js'

const unzip = promisify(gunzip)

/** The whole body, decompressed where the client compressed it, as some SDKs do with metrics. Rejects when the client goes away. */
export async function readBody(request: WireRequest): Promise<Buffer> {
  const body = await collect(request)
  if (request.headers['content-encoding'] !== 'gzip') return body
  try {
    return await unzip(body, { maxOutputLength: MAX_UNPACKED_BYTES })
  } catch {
    throw new ServiceError('SerializationException', 'The body is no gzip, or is too large when unpacked.')
  }
}

function collect(request: WireRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      // Too much of it is read to its end and dropped: a client that still writes does not read the answer.
      if (size > MAX_BODY_BYTES) chunks = []
      else chunks.push(chunk)
    })
    request.on('end', () => {
      if (size <= MAX_BODY_BYTES) return resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
      reject(
        new ServiceError(
          'RequestEntityTooLargeException',
          `The request has more than ${MAX_BODY_BYTES} bytes.`,
          413,
        ),
      )
    })
    const gone = () => reject(new ServiceError('RequestAbortedException', 'The client went away.'))
    request.on('error', gone)
    request.on('close', gone)
    request.on('aborted', gone)
  })
}

export function parseJson(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {}
  if (hasTooManyValues(body)) {
    throw new ServiceError('SerializationException', `The body has more than ${MAX_BODY_VALUES} values.`)
  }
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
