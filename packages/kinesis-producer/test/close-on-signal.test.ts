import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { InvalidOptionError } from '@org/kinesis-core'
import { type FaultAction, startLocal } from '@org/kinesis-local'
import { describe, expect, it } from 'vitest'
import { closeOnSignal } from '../src/index.js'
import { storedIn } from './stored-records.js'

const childFile = fileURLToPath(new URL('./close-on-signal-child.mjs', import.meta.url))

/** A process with ten records that linger; `faults` for its PutRecords. */
async function aProcess(options: { listens?: boolean; stops?: boolean } = {}, fault?: FaultAction) {
  const local = await startLocal({
    streams: [{ name: 'orders' }],
    faults: ({ operation }) => (operation === 'PutRecords' ? fault : undefined),
  })
  const args = [childFile, JSON.stringify({ endpoint: local.url, ...options })]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.on('data', (text: Buffer) => {
    printed += text.toString()
  })
  const ended = once(child, 'close')
  while (!printed.includes('put\n')) await once(child.stdout, 'data')
  return {
    child,
    /** How it ended, and what it printed. */
    async end() {
      const [code, signal] = await ended
      return { code, signal, printed: printed.trim().split('\n') }
    },
    stored: async () => (await storedIn(local)).length,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      await local.close()
    },
  }
}

describe('a process that is told to end', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`by ${signal} delivers what lingers, and ends by the signal`, async () => {
      await using process = await aProcess()

      process.child.kill(signal)

      expect(await process.end()).toEqual({ code: null, signal, printed: ['put', 'closed 0'] })
      expect(await process.stored()).toBe(10)
    })
  }

  it('gives up at the deadline, and tells what', async () => {
    await using process = await aProcess({}, { kind: 'error500' })

    process.child.kill('SIGTERM')

    expect(await process.end()).toEqual({ code: null, signal: 'SIGTERM', printed: ['put', 'closed 10'] })
    expect(await process.stored()).toBe(0)
  })

  it('ends at once by a second signal', async () => {
    await using process = await aProcess({}, { kind: 'stall', delayMs: 30_000 })

    process.child.kill('SIGTERM')
    const again = setInterval(() => process.child.kill('SIGTERM'), 100)
    const { signal, printed } = await process.end()
    clearInterval(again)

    expect({ signal, printed }).toEqual({ signal: 'SIGTERM', printed: ['put'] })
  })

  it('is left to the application where that listens, too', async () => {
    await using process = await aProcess({ listens: true })

    process.child.kill('SIGTERM')

    // Nothing keeps it alive once the producer is closed.
    expect(await process.end()).toEqual({ code: 0, signal: null, printed: ['put', 'heard', 'closed 0'] })
    expect(await process.stored()).toBe(10)
  })

  it('ends as ever where that was undone', async () => {
    await using process = await aProcess({ stops: true })

    process.child.kill('SIGTERM')

    expect(await process.end()).toEqual({ code: null, signal: 'SIGTERM', printed: ['put'] })
    expect(await process.stored()).toBe(0)
  })
})

it('options that cannot work are refused', () => {
  const producer = { close: async () => ({ undelivered: [] }) }
  expect(() => closeOnSignal(producer, { deadlineMs: -1 })).toThrow(InvalidOptionError)
  expect(() => closeOnSignal(producer, { deadline: 1 } as object)).toThrow('deadline')
})
