import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { median } from '../../../bench/statistics.ts'

const serve = fileURLToPath(new URL('./serve.ts', import.meta.url))
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

/** Milliseconds from the start of a process until the library serves there, and until the command has answered; the first is not counted. */
export async function startUp(times: number): Promise<{ libraryMs: number; cliMs: number }> {
  const library: number[] = []
  const command: number[] = []
  for (let run = 0; run <= times; run++) {
    library.push(await startLibrary())
    command.push(await startCommand())
  }
  return { libraryMs: median(library.slice(1)), cliMs: median(command.slice(1)) }
}

async function startLibrary(): Promise<number> {
  const child = fork(serve, [JSON.stringify({ streams: [{ name: 'orders' }] })])
  const [{ startedMs }] = (await once(child, 'message')) as [{ startedMs: number }]
  child.disconnect()
  await once(child, 'exit')
  return startedMs
}

async function startCommand(): Promise<number> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [cli, '--port', '0', '--stream', 'orders'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const chunk of child.stdout) {
    output += chunk
    if (output.includes('AWS_SECRET_ACCESS_KEY')) break
  }
  const url = /AWS_ENDPOINT_URL=(\S+)/.exec(output)![1]!
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'x-amz-target': 'Kinesis_20131202.ListStreams' },
    body: '{}',
  })
  await answer.text()
  const tookMs = performance.now() - startedAt
  child.kill('SIGTERM')
  await once(child, 'exit')
  return tookMs
}
