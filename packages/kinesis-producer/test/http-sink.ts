import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}

/** One request as it came in, read to its end. */
export interface SunkRequest {
  headers: Record<string, string>
  body: Buffer
  json: { StreamName?: string; Records: { Data: string; PartitionKey: string }[] }
}

/** An HTTP server that answers as `respond` says, where the local service would know better than to. */
export async function httpSink(respond: (request: SunkRequest, response: ServerResponse) => void) {
  const requests: SunkRequest[] = []
  return rawSink((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const request = {
        headers: incoming.headers as Record<string, string>,
        body,
        json: JSON.parse(body.toString()),
      }
      requests.push(request)
      respond(request, response)
    })
  }, requests)
}

/** The same for tests that look at how a request comes in. */
export async function rawSink(
  listener: (incoming: IncomingMessage, response: ServerResponse) => void,
  requests: SunkRequest[] = [],
) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function answer(response: ServerResponse, body: string, status = 200): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

export function storedAnswer(entries: number): string {
  const Records = Array.from({ length: entries }, (_, index) => ({
    SequenceNumber: String(index + 1),
    ShardId: 'shardId-000000000000',
  }))
  return JSON.stringify({ FailedRecordCount: 0, Records })
}

/** The signature that a service computes for what it received (AWS General Reference, "Signature Version 4"). */
export function expectedAuthorization(
  { headers, body }: SunkRequest,
  { accessKeyId, secretAccessKey } = credentials,
) {
  const [, scope, signedHeaders] = /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+),/.exec(
    headers.authorization!,
  )!
  const hash = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()
  const canonicalHeaders = signedHeaders!.split(';').map((name) => `${name}:${headers[name]}\n`)
  const canonicalRequest = `POST\n/\n\n${canonicalHeaders.join('')}\n${signedHeaders}\n${hash(body)}`
  const toSign = `AWS4-HMAC-SHA256\n${headers['x-amz-date']}\n${scope}\n${hash(canonicalRequest)}`
  const key = scope!.split('/').reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  const signature = hmac(key, toSign).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
}
