import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const demoCli = fileURLToPath(new URL('../dist/demo/cli.js', import.meta.url))

export interface DemoResult {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs the built demo as a user would, with its standard input closed or given. */
export function runDemoProcess(args: string[], input?: string): Promise<DemoResult> {
  const child = spawn(process.execPath, [demoCli, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(input ?? '')
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, ...output }))
  })
}

/** A folder of a test's own, removed when the test's scope ends. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'kinesis-demo-test-'))
  return {
    path,
    file: (name: string) => join(path, name),
    json: (name: string) => JSON.parse(readFileSync(join(path, name), 'utf8')),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}
