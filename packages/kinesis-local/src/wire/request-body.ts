import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ServiceError } from '../service.js'
import type { WireRequest } from './listener.js'

/** Above any request that the services take: 10 MiB of records in base64, with keys and JSON around them. */
const MAX_BODY_BYTES = 32 * 1024 * 1024

/**
 * A value takes many times its bytes when it is parsed, and a small compressed body may unpack to millions of them. No request of the services
 * comes near this: the largest are metrics, 1,000 of 150 values and their counts.
 */
export const MAX_BODY_VALUES = 500_000

const unzip = promisify(gunzip)

/** The whole body, decompressed where the client compressed it, as some SDKs do with metrics. Rejects when the client goes away. */
export async function readBody(request: WireRequest): Promise<Buffer> {
  const body = await collect(request)
  if (request.headers['content-encoding'] !== 'gzip') return body
  try {
    return await unzip(body, { maxOutputLength: MAX_BODY_BYTES })
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
  if (body.length > MAX_BODY_VALUES && countValues(body) > MAX_BODY_VALUES) {
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

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENS_OR_PARTS = new Set([...'{[,'].map((character) => character.charCodeAt(0)))

/** About as many values as JSON holds: what opens or parts them, but in strings, which may be long and are leapt over. */
function countValues(json: Buffer): number {
  let values = 0
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at]!
    if (byte === QUOTE) at = endOfString(json, at)
    else if (OPENS_OR_PARTS.has(byte)) values += 1
  }
  return values
}

function endOfString(json: Buffer, start: number): number {
  for (let end = json.indexOf(QUOTE, start + 1); end !== -1; end = json.indexOf(QUOTE, end + 1)) {
    let backslashes = 0
    while (json[end - 1 - backslashes] === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return end
  }
  return json.length
}
