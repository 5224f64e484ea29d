import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface ServiceCall {
  operation: string
  input: Record<string, unknown>
}

export type ServiceAnswer = Record<string, unknown> | ServiceRefusal

/** What the service answers with instead of a result. */
export class ServiceRefusal {
  constructor(
    readonly code: string,
    readonly message = '',
    readonly status = 400,
  ) {}
}

/**
 * An endpoint that speaks the AWS JSON protocol and answers as the test says: for what no emulator does when asked, such as
 * denying a call or throttling in the middle of a page.
 */
export async function startScriptedService(answer: (call: ServiceCall, number: number) => ServiceAnswer) {
  const calls: ServiceCall[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? ''
    const body = Buffer.concat(chunks)
    // The SDK compresses a large PutMetricData.
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
    const call = { operation, input: JSON.parse(text) }
    calls.push(call)
    const result = answer(call, calls.length)
    const refused = result instanceof ServiceRefusal
    response.writeHead(refused ? result.status : 200, { 'content-type': 'application/x-amz-json-1.0' })
    response.end(JSON.stringify(refused ? { __type: result.code, message: result.message } : result))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const testCredentials = { accessKeyId: 'test', secretAccessKey: 'test' }
