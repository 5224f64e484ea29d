import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import * as pty from '@lydell/node-pty'
import { type Local, startLocal } from '@org/kinesis-local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { produceCli } from './produce-process.js'

let local: Local
const folder = mkdtempSync(join(tmpdir(), 'kinesis-produce-test-'))

beforeAll(async () => {
  local = await startLocal({ streams: [{ name: 'events', shards: 1 }] })
})

afterAll(async () => {
  await local.close()
  rmSync(folder, { recursive: true, force: true })
})

function openTerminal(args: string[]) {
  const to = ['--stream-name', 'events', '--endpoint-url', local.url]
  const terminal = pty.spawn(process.execPath, [produceCli, ...to, ...args], { cols: 100, rows: 30 })
  let screen = ''
  terminal.onData((data) => {
    screen += stripVTControlCharacters(data)
  })
  const exited = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)))
  return {
    type: (keys: string) => terminal.write(keys),
    screen: () => screen,
    sees: (text: string | RegExp) => expect.poll(() => screen, { interval: 50 }).toMatch(text),
    exited,
  }
}

describe('kinesis-produce in a terminal', () => {
  it('shows how far it is in a file, drains on Ctrl-C, and leaves the summary alone on the screen', async () => {
    const file = join(folder, 'events.log')
    writeFileSync(file, 'line of a log\n'.repeat(100_000))
    const terminal = openTerminal([file])
    await terminal.sees(/\r█+░+ [1-9]\d?% {2}\d+ (s|min) left {2}[\d,]+ delivered {2}[\d,]+\/s .* in flight/)

    terminal.type('\u0003')

    await terminal.sees('draining, Ctrl-C again gives up')
    expect(await terminal.exited).toBe(130)
    expect(terminal.screen()).toMatch(/\rinterrupted\r\n([\d,]+) read, \1 delivered, 0 failed, 0 refused\r\n/)
  })

  it('takes what is typed until Ctrl-D, with no progress among it', async () => {
    const terminal = openTerminal([])
    await terminal.sees('Reads what is typed, until Ctrl-D.')

    terminal.type('hello\r')
    terminal.type('\u0004')

    expect(await terminal.exited).toBe(0)
    expect(terminal.screen()).toContain('1 read, 1 delivered')
    expect(terminal.screen()).not.toContain('in flight')
  })
})
