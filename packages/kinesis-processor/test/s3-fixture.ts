import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { buildApp } from 'fauxqs'

/** `error503`: nothing is done. `stall`: done, and never answered. `reset-after`: done, and the connection is cut. */
export type S3Fault = 'error503' | 'error403' | 'stall' | 'reset-after'

/** S3 over the wire on the loopback interface, with one bucket, faults, and what was asked of it. */
export async function startS3(
  fault: (call: { method: string; number: number; path: string }) => S3Fault | undefined = () => undefined,
) {
  const requests: string[] = []
  const app = buildApp({ logger: false })
  const met = new WeakMap<object, S3Fault>()
  let isReady = false
  app.addHook('onRequest', async (request, reply) => {
    if (!isReady) return
    const path = decodeURIComponent(request.url.split('?')[0] ?? '')
    requests.push(`${request.method} ${path}`)
    const found = fault({ method: request.method, number: requests.length, path })
    if (found === undefined) return
    met.set(request.raw, found)
    if (found === 'error503')
      await reply.code(503).send('<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>')
    if (found === 'error403')
      await reply.code(403).send('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>')
  })
  app.addHook('onSend', async (request, _reply, payload) => {
    const found = met.get(request.raw)
    if (found === 'reset-after') request.raw.socket.destroy()
    if (found === 'stall')
      await new Promise<void>((resolve) => request.raw.socket.once('close', () => resolve()))
    return payload
  })
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    // The retries under test are the handler's, not the SDK's.
    maxAttempts: 1,
  })
  await client.send(new CreateBucketCommand({ Bucket: 'kept' }))
  isReady = true
  const keys = async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'kept' }))
    return Contents.map(({ Key }) => Key!)
  }
  const bytesOf = async (key: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: 'kept', Key: key }))
    return Buffer.from(await Body!.transformToByteArray())
  }
  return {
    client,
    requests,
    keys,
    bytesOf,
    async linesOf(key: string) {
      return (await bytesOf(key))
        .toString()
        .split('\n')
        .filter((line) => line !== '')
    },
    async [Symbol.asyncDispose]() {
      client.destroy()
      app.server.closeAllConnections()
      await app.close()
    },
  }
}
