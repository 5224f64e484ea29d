import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CreateStreamCommand, DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** A server that runs, with a stream of `SHARDS` shards. */
export interface Running {
  url: string
  pid: number
  close(): Promise<void>
}

export interface Side {
  name: string
  /** Calls of a run: the slow ones get fewer, which favours them where they slow down as records pile up. */
  calls: { put: number; get: number }
  start(): Promise<Running>
}

export const STREAM = 'bench'
export const SHARDS = 4
const require = createRequire(import.meta.url)
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export function localSide(name: string, calls: Side['calls'], options: Record<string, unknown> = {}): Side {
  return {
    name,
    calls,
    async start() {
      const dataDir = await mkdtemp(join(tmpdir(), 'kinesis-bench-'))
      const all = { ...options, dataDir, streams: [{ name: STREAM, shards: SHARDS }] }
      const child = fork(fileURLToPath(new URL('./serve.ts', import.meta.url)), [JSON.stringify(all)])
      children.add(child)
      const [{ url }] = (await once(child, 'message')) as [{ url: string }]
      return {
        url,
        pid: child.pid!,
        async close() {
          await killed(child)
          await rm(dataDir, { recursive: true, force: true })
        },
      }
    },
  }
}

export function kinesaliteSide(calls: Side['calls']): Side {
  return {
    name: 'kinesalite',
    calls,
    start: () =>
      serve((port) => [
        [require.resolve('kinesalite/cli.js'), '--port', String(port), '--createStreamMs', '0'],
        {},
      ]),
  }
}

export function npmKinesisLocalSide(calls: Side['calls']): Side {
  return {
    name: 'npm kinesis-local',
    calls,
    start: () =>
      serve((port) => [
        [require.resolve('kinesis-local/main.js')],
        {
          KINESIS_MOCK_CERT_PATH: require.resolve('kinesis-local/server.json'),
          KINESIS_MOCK_PLAIN_PORT: String(port),
          KINESIS_MOCK_TLS_PORT: String(port + 1),
          CREATE_STREAM_DURATION: '10ms',
          LOG_LEVEL: 'ERROR',
        },
      ]),
  }
}

async function serve(command: (port: number) => [string[], Record<string, string>]): Promise<Running> {
  const port = await freePort()
  const [args, env] = command(port)
  const child = spawn(process.execPath, args, {
    cwd: tmpdir(),
    stdio: 'ignore',
    env: { PATH: process.env.PATH, ...env },
  })
  children.add(child)
  const url = `http://127.0.0.1:${port}`
  const client = benchClient(url)
  try {
    await eventually(() => client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: SHARDS })))
    await eventually(async () => {
      const { StreamDescriptionSummary } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName: STREAM }),
      )
      if (StreamDescriptionSummary?.StreamStatus !== 'ACTIVE') throw new Error('not yet')
    })
  } finally {
    client.destroy()
  }
  return { url, pid: child.pid!, close: () => killed(child) }
}

function benchClient(url: string): KinesisClient {
  return new KinesisClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  })
}

async function eventually(call: () => Promise<unknown>): Promise<void> {
  for (const endMs = Date.now() + 30_000; ; await sleep(20)) {
    try {
      await call()
      return
    } catch (error) {
      if (Date.now() > endMs) throw error
    }
  }
}

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  // npm's kinesis-local was seen to stay after SIGTERM.
  child.kill('SIGKILL')
  await exit
  children.delete(child)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
