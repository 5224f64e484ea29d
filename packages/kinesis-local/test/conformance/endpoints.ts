import { type ChildProcess, fork, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { KinesisClient, type KinesisClientConfig, ListStreamsCommand } from '@aws-sdk/client-kinesis'
import { systemClock } from '@org/kinesis-core'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { startLocal } from '../../src/start-local.js'
import { ServiceUnderTest } from './service-under-test.js'

export type EndpointName = 'ours' | 'npm kinesis-local' | 'kinesalite' | 'remote'

export interface Endpoint {
  service: ServiceUnderTest
  close(): Promise<void>
}

const require = createRequire(import.meta.url)

/** The environment names an endpoint, which is asked instead of ours. */
export const isRemote =
  process.env.CONFORMANCE_AWS === '1' || process.env.CONFORMANCE_ENDPOINT_URL !== undefined

export const endpoints: Readonly<Record<EndpointName, () => Promise<Endpoint>>> = {
  ours: startOurs,
  'npm kinesis-local': startNpmKinesisLocal,
  kinesalite: startKinesalite,
  remote: startRemote,
}

/** Our clock can be put forward, and a run on AWS takes minutes anyway. */
export function letsTimeGoBy(name: EndpointName): boolean {
  return name === 'ours' || (name === 'remote' && process.env.CONFORMANCE_ENDPOINT_URL === undefined)
}

async function startOurs(): Promise<Endpoint> {
  let aheadMs = 0
  const local = await startLocal({
    clock: {
      ...systemClock,
      now: () => systemClock.now() + aheadMs,
    },
  })
  return endpoint(local.url, () => local.close(), {
    advance: async (ms) => {
      aheadMs += ms
    },
  })
}

async function startKinesalite(): Promise<Endpoint> {
  const child = fork(fileURLToPath(new URL('./kinesalite-server.mjs', import.meta.url)), { execArgv: [] })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  // Some calls it never answers.
  return endpoint(`http://127.0.0.1:${port}`, () => killed(child), { requestTimeout: 3_000 })
}

/** It listens on all interfaces and cannot be told otherwise; it looks for its certificate in the working folder unless told where. */
async function startNpmKinesisLocal(): Promise<Endpoint> {
  const main = require.resolve('kinesis-local/main.js')
  const [plain, tls] = [await freePort(), await freePort()]
  const durations = [
    ...['CREATE_STREAM', 'DELETE_STREAM', 'REGISTER_STREAM_CONSUMER', 'DEREGISTER_STREAM_CONSUMER'],
    ...['START_STREAM_ENCRYPTION', 'STOP_STREAM_ENCRYPTION', 'MERGE_SHARDS', 'SPLIT_SHARD'],
    ...['UPDATE_SHARD_COUNT', 'UPDATE_STREAM_MODE'],
  ]
  const child = spawn(process.execPath, [main], {
    cwd: tmpdir(),
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      KINESIS_MOCK_CERT_PATH: require.resolve('kinesis-local/server.json'),
      KINESIS_MOCK_PLAIN_PORT: String(plain),
      KINESIS_MOCK_TLS_PORT: String(tls),
      SHARD_LIMIT: '500',
      LOG_LEVEL: 'ERROR',
      ...Object.fromEntries(durations.map((what) => [`${what}_DURATION`, '10ms'])),
    },
  })
  // It must not outlive a test run that is cut short.
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const started = endpoint(`http://127.0.0.1:${plain}`, async () => {
    process.off('exit', kill)
    await killed(child)
  })
  await answers(started.service.client)
  return started
}

/** AWS with the environment's region and credentials, or the endpoint that it names. */
async function startRemote(): Promise<Endpoint> {
  const url = process.env.CONFORMANCE_ENDPOINT_URL
  const dummies = {
    region: process.env.AWS_REGION ?? 'us-east-1',
    ...(process.env.AWS_ACCESS_KEY_ID === undefined
      ? { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
      : {}),
  }
  const client = new KinesisClient({
    // AWS is spoken to as the SDK does it, over HTTP/2, which SubscribeToShard needs there.
    ...(url === undefined ? {} : { endpoint: url, ...dummies, requestHandler: new NodeHttpHandler() }),
    // What is throttled is an answer too.
    maxAttempts: 1,
  })
  const service = new ServiceUnderTest(client, uniquePrefix(), url === undefined ? 1_000 : 20, async (ms) => {
    await sleep(ms)
  })
  return { service, close: () => closeAfter(service) }
}

function endpoint(
  url: string,
  close: () => Promise<void>,
  {
    advance,
    requestTimeout = 20_000,
  }: { advance?: (ms: number) => Promise<void>; requestTimeout?: number } = {},
): Endpoint {
  const config: KinesisClientConfig = {
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    // Both other emulators fail with the SDK's HTTP/2.
    requestHandler: new NodeHttpHandler({ requestTimeout, throwOnRequestTimeout: true }),
    maxAttempts: 1,
  }
  const service = new ServiceUnderTest(new KinesisClient(config), uniquePrefix(), 10, advance)
  return {
    service,
    async close() {
      await closeAfter(service)
      await close()
    },
  }
}

async function closeAfter(service: ServiceUnderTest): Promise<void> {
  await service.deleteStreams()
  service.client.destroy()
}

function uniquePrefix(): string {
  return `conformance-${randomUUID().slice(0, 8)}-`
}

async function answers(client: KinesisClient): Promise<void> {
  for (const endMs = Date.now() + 20_000; ; await sleep(50)) {
    try {
      await client.send(new ListStreamsCommand({}))
      return
    } catch (error) {
      if (Date.now() > endMs) throw error
    }
  }
}

async function killed(child: ChildProcess): Promise<void> {
  // One was seen to close its ports on SIGTERM and never to exit.
  const exit = once(child, 'exit')
  if (child.kill('SIGKILL')) await exit
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
