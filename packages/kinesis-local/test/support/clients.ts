import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }

/** What every client needs; nothing is tried again, so that a test sees the first answer. */
export function connection(local: { url: string; region: string }) {
  return { endpoint: local.url, region: local.region, credentials, maxAttempts: 1 }
}

export const protocols = [
  ['HTTP/2, which the SDK uses for Kinesis', () => ({})],
  ['HTTP/1.1', () => ({ requestHandler: new NodeHttpHandler() })],
] as const satisfies readonly (readonly [string, () => Partial<KinesisClientConfig>])[]

export function kinesisClient(
  local: { url: string; region: string },
  config: Partial<KinesisClientConfig> = {},
): KinesisClient {
  return new KinesisClient({ ...connection(local), ...config })
}

/** A request that no SDK would make. */
export function post(
  url: string,
  target: string,
  body: string | Uint8Array,
  headers = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
}
