import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import * as pty from '@lydell/node-pty'
import { describe, expect, it } from 'vitest'
import { processTree } from '../src/demo/process-tree.js'
import { demoCli, temporaryFolder } from './demo-process.js'

/** The demo in a pseudo-terminal, where Ctrl-C reaches it and all its children at once. */
function openTerminal(args: string[], cwd: string) {
  const terminal = pty.spawn(process.execPath, [demoCli, ...args], { cols: 100, rows: 30, cwd })
  let screen = ''
  terminal.onData((data) => {
    screen += data
  })
  const exited = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)))
  return {
    pid: terminal.pid,
    press: (keys: string) => terminal.write(keys),
    exited,
    screen: () => screen,
    async sees(text: string | RegExp): Promise<void> {
      await expect.poll(() => screen, { timeout: 30_000, interval: 50 }).toMatch(text)
    },
  }
}

function descendants(pid: number): number[] {
  return processTree(pid).flatMap((process) => (process.pid === pid ? [] : [process.pid]))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('Ctrl-C in a terminal', { timeout: 90_000 }, () => {
  it('drains what is on its way, then prints an account that balances', async () => {
    using folder = temporaryFolder()
    const terminal = openTerminal(['--rate', '100', '--data', folder.file('run')], folder.path)
    await terminal.sees(/[1-9]\d* stored/)

    terminal.press('\u0003')

    expect(await terminal.exited).toBe(0)
    expect(terminal.screen()).toContain('The account balances')
    expect(folder.json('run/account.json').produced).toBeGreaterThan(0)
  })

  it('accounts for nothing when it comes before anything was put', async () => {
    using folder = temporaryFolder()
    const terminal = openTerminal(['--data', folder.file('run')], folder.path)
    await terminal.sees(/shards\) at http/)

    terminal.press('\u0003')

    expect(await terminal.exited).toBe(0)
    expect(terminal.screen()).toContain('The account balances')
  })

  it('pressed twice ends at once and leaves no process behind', async () => {
    using folder = temporaryFolder()
    const terminal = openTerminal(
      ['--rate', '4000', '--shards', '1', '--data', folder.file('run')],
      folder.path,
    )
    // More than a shard takes, so that draining lasts.
    await terminal.sees(/[1-9][\d,]* stored/)
    const children = descendants(terminal.pid)
    expect(children.length).toBeGreaterThan(0)

    terminal.press('\u0003')
    await terminal.sees(/draining, [1-9][\d,]* left; Ctrl-C again ends at once/)
    terminal.press('\u0003')

    expect(await terminal.exited).toBe(130)
    expect(terminal.screen()).toContain('Ended at once, without draining and without an account.')
    await expect.poll(() => children.filter(isRunning), { timeout: 10_000 }).toEqual([])
  })

  it('leaves no process behind when it is killed outright', async () => {
    using folder = temporaryFolder()
    const terminal = openTerminal(['--rate', '100', '--data', folder.file('run')], folder.path)
    await terminal.sees(/[1-9]\d* stored/)
    const children = descendants(terminal.pid)

    process.kill(terminal.pid, 'SIGKILL')

    await terminal.exited
    await expect.poll(() => children.filter(isRunning), { timeout: 10_000 }).toEqual([])
  })

  it('is not needed where the package manager was killed: the run drains by itself', async () => {
    using folder = temporaryFolder()
    const demo = JSON.stringify([demoCli, '--rate', '100', '--data', folder.file('run')])
    const parent = spawn(
      process.execPath,
      [
        '--eval',
        `require('node:child_process').spawn(process.execPath, ${demo}, { stdio: 'ignore' }); setInterval(() => {}, 1_000)`,
      ],
      { env: { ...process.env, npm_lifecycle_event: 'demo' }, stdio: 'ignore' },
    )
    const account = folder.file('run/account.json')
    await expect.poll(() => existsSync(folder.file('run/ledger.tsv')), { timeout: 30_000 }).toBe(true)
    const children = descendants(parent.pid!)

    parent.kill('SIGKILL')

    await expect.poll(() => children.filter(isRunning), { timeout: 30_000 }).toEqual([])
    expect(JSON.parse(readFileSync(account, 'utf8'))).toMatchObject({ balanced: true })
  })
})
