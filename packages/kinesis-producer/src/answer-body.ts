import { Readable } from 'node:stream'

/** Of 500 entries, a failed one has a code and a message of a few hundred bytes: whatever is longer by far is no answer of the service. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/**
 * Collects what a request handler answers with. `requestHasLeft` is called where it is certain that the whole request has left this
 * process, so that its body may be overwritten. `collect` is the SDK's, for handlers whose bodies are no streams of Node; they do not say
 * what has become of the request.
 */
export async function readAnswerBody(
  body: unknown,
  requestHasLeft: () => void,
  collect: (stream: unknown) => Promise<Uint8Array>,
): Promise<Buffer> {
  if (body instanceof Readable) return readStream(body, requestHasLeft)
  const bytes = body instanceof Uint8Array ? body : await collect(body)
  if (bytes.length > MAX_ANSWER_BYTES) throw tooLong()
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function readStream(stream: Readable, requestHasLeft: () => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > MAX_ANSWER_BYTES) stream.destroy(tooLong())
    })
    stream.on('end', () => {
      // Asked here and not later: the next request may get the socket in the next turn.
      if (isSent(stream)) requestHasLeft()
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length))
    })
    stream.on('error', reject)
    stream.on('close', () => {
      // Some handlers' streams are closed without an error.
      if (!stream.readableEnded) reject(brokenOff())
    })
  })
}

/** HTTP/1.1: the answer knows its request. HTTP/2: one stream is both. */
function isSent(stream: Readable): boolean {
  const request = 'req' in stream ? stream.req : stream
  return (
    typeof request === 'object' &&
    request !== null &&
    'writableFinished' in request &&
    request.writableFinished === true
  )
}

function tooLong(): Error {
  return Object.assign(new Error(`The answer is longer than ${MAX_ANSWER_BYTES} bytes.`), {
    code: 'ERR_ANSWER_TOO_LONG',
  })
}

function brokenOff(): Error {
  return Object.assign(new Error('The connection was closed in the middle of the answer.'), {
    code: 'ECONNRESET',
  })
}
