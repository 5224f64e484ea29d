import { type LocalService, ServiceError } from '../service.js'

export interface RemoteServiceOptions {
  endpoint: string
  region: string
  /** As in the scope of a signature, by which some emulators tell services apart. */
  signingName: string
  targetPrefix: string
  version: '1.0' | '1.1'
  /** Members that are bytes in process, and base64 over the wire. */
  blobs?: readonly string[]
}

const REQUEST_TIMEOUT_MS = 60_000

/** A service of another emulator, spoken to in AWS JSON, as if it were in process. Requests carry a signature that is none. */
export function remoteService(options: RemoteServiceOptions): LocalService {
  const { endpoint, targetPrefix, version, blobs = [] } = options
  return {
    targetPrefix,
    async call(operation, input) {
      const response = await post(
        endpoint,
        {
          ...signature(options),
          'content-type': `application/x-amz-json-${version}`,
          'x-amz-target': `${targetPrefix}.${operation}`,
        },
        JSON.stringify(input, toBase64),
      )
      if (response.headers.get('content-type')?.includes('eventstream')) {
        await response.body?.cancel()
        throw new ServiceError('UnsupportedOperation', `${operation} is not read from another endpoint.`)
      }
      const text = await response.text()
      if (!response.ok) throw jsonError(text, response)
      return text === '' ? {} : JSON.parse(text, (key, value) => fromBase64(blobs, key, value))
    },
  }
}

/** The same for services that speak the query protocol; of its answers, the values that are no structures. */
export function remoteQueryService({
  version,
  ...options
}: Omit<RemoteServiceOptions, 'version'> & { version: string }): LocalService {
  return {
    targetPrefix: options.targetPrefix,
    async call(operation, input) {
      const form = new URLSearchParams({ Action: operation, Version: version })
      for (const [path, value] of parameters('', input)) form.append(path, value)
      const type = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
      const response = await post(options.endpoint, { ...signature(options), ...type }, form.toString())
      const xml = await response.text()
      const leaves = Object.fromEntries(
        [...xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name, value]) => [name!, unescaped(value!)]),
      )
      if (response.ok) return leaves
      throw new ServiceError(
        leaves.Code ?? 'InternalFailure',
        leaves.Message ?? xml.slice(0, 200),
        response.status,
      )
    },
  }
}

async function post(endpoint: string, headers: Record<string, string>, body: string): Promise<Response> {
  try {
    return await fetch(endpoint, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    })
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error }
    throw new ServiceError(
      'ServiceUnavailable',
      `${endpoint} does not answer: ${cause?.message ?? message}`,
      503,
    )
  }
}

function signature({ region, signingName }: Pick<RemoteServiceOptions, 'region' | 'signingName'>) {
  const date = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const scope = `local/${date.slice(0, 8)}/${region}/${signingName}/aws4_request`
  return {
    'x-amz-date': date,
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
  }
}

function jsonError(text: string, response: Response): ServiceError {
  let body: { __type?: string; message?: string; Message?: string } = {}
  try {
    body = JSON.parse(text) as typeof body
  } catch {
    // What is no JSON is told as it is.
  }
  const type = body.__type ?? response.headers.get('x-amzn-errortype') ?? 'InternalFailure'
  const code = type.split('#').at(-1)!.split(':')[0]!
  return new ServiceError(code, body.message ?? body.Message ?? text.slice(0, 200), response.status)
}

/** Before `JSON.stringify` asks a Buffer for a JSON of its own. */
function toBase64(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const own = this[key]
  return own instanceof Uint8Array ? Buffer.from(own).toString('base64') : value
}

function fromBase64(blobs: readonly string[], key: string, value: unknown): unknown {
  return typeof value === 'string' && blobs.includes(key) ? Buffer.from(value, 'base64') : value
}

function parameters(path: string, value: unknown): [string, string][] {
  if (value === undefined || value === null) return []
  if (typeof value !== 'object') return [[path, String(value)]]
  if (Array.isArray(value)) {
    return value.flatMap((one, index) => parameters(`${path}.member.${index + 1}`, one))
  }
  if (/(^|\.)(Message)?Attributes$/.test(path)) {
    const [name, content] = path.endsWith('MessageAttributes') ? ['Name', 'Value'] : ['key', 'value']
    return Object.entries(value).flatMap(([key, one], index) => [
      [`${path}.entry.${index + 1}.${name}`, key] as [string, string],
      ...parameters(`${path}.entry.${index + 1}.${content}`, one),
    ])
  }
  return Object.entries(value).flatMap(([key, one]) => parameters(path === '' ? key : `${path}.${key}`, one))
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function unescaped(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name]!)
}
