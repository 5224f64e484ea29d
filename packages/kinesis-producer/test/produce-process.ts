import { type ChildProcess, spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { Local } from '@org/kinesis-local'
import { expect } from 'vitest'
import { storedIn } from './stored-records.js'

export const produceCli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

export interface ProduceResult {
  status: number | null
  stdout: string
  stderr: string
}

export interface ProduceProcess {
  child: ChildProcess
  /** What it has said so far. */
  stderr(): string
  ended: Promise<ProduceResult>
}

/** Starts the built command. Its input is empty unless one is given; `open` leaves it to the test. */
export function startProduce(
  args: readonly string[],
  options: { input?: string | Buffer | Readable | 'open'; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): ProduceProcess {
  const env = { PATH: process.env.PATH, HOME: '/nowhere', AWS_EC2_METADATA_DISABLED: 'true', ...options.env }
  const child = spawn(process.execPath, [produceCli, ...args], {
    env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  const { input = '' } = options
  if (input !== 'open') {
    const source = input instanceof Readable ? input : Readable.from([Buffer.from(input)])
    // A child that ends early closes its end of the pipe.
    void pipeline(source, child.stdin).catch(() => {})
  }
  const result: ProduceResult = { status: null, stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.stderr += text
  })
  const ended = new Promise<ProduceResult>((resolve) =>
    child.once('close', (status) => resolve({ ...result, status })),
  )
  return { child, stderr: () => result.stderr, ended }
}

export function produce(...start: Parameters<typeof startProduce>): Promise<ProduceResult> {
  return startProduce(...start).ended
}

export async function holds(local: Local, streamName: string, least: number): Promise<void> {
  await expect
    .poll(async () => (await storedIn(local, streamName)).length, { timeout: 20_000 })
    .toBeGreaterThanOrEqual(least)
}
