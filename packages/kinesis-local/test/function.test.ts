import { type ChildProcess, execFile, type ForkOptions, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ChildMessage, InvokeMessage } from '../src/function/child-protocol.js'
import type { LocalFunctionOptions } from '../src/function/function-options.js'
import { createLocalFunction, type LocalFunction } from '../src/function/local-function.js'
import { runnerFile } from '../src/function/runner-location.js'
import { hostDependencies } from './host-fixture.js'
import { aFolder } from './stream-fixture.js'

const handlers = fileURLToPath(new URL('./function-handlers.mjs', import.meta.url))
const cleanup: (() => Promise<unknown>)[] = []

function aFunction(exportName: string, options: Partial<LocalFunctionOptions> = {}) {
  const host = hostDependencies()
  const created = createLocalFunction({ name: 'test-function', file: handlers, exportName, ...options }, host)
  cleanup.push(() => created.close())
  return { fn: created, host }
}

afterEach(async () => {
  for (const close of cleanup.splice(0)) await close()
})

describe('a local function', () => {
  it('hands the event to the handler as JSON would, and its result back', async () => {
    const { fn } = aFunction('echo')

    const result = await fn.invoke({ at: new Date(0), missing: undefined, nested: [1, null] })

    expect(result).toMatchObject({
      ok: true,
      payload: { event: { at: '1970-01-01T00:00:00.000Z', nested: [1, null] } },
    })
  })

  it('uses one process again for invocations that follow each other', async () => {
    const { fn } = aFunction('echo')

    const pids = [await fn.invoke(1), await fn.invoke(2), await fn.invoke(3)].map(pidOf)

    expect(new Set(pids).size).toBe(1)
    expect(fn.stats()).toMatchObject({ invocations: 3, processes: 1, startedProcesses: 1 })
  })

  it('starts processes up to maxConcurrency, and lets further invocations wait their turn', async () => {
    const { fn } = aFunction('wait', { maxConcurrency: 2 })

    const running = [fn.invoke({ ms: 50 }), fn.invoke({ ms: 50 }), fn.invoke({ ms: 1 }), fn.invoke({ ms: 1 })]

    expect(fn.stats()).toMatchObject({ running: 2, waiting: 2 })
    const results = await Promise.all(running)
    expect(new Set(results.map(pidOf)).size).toBe(2)
  })

  it('gives the handler the environment and context of Lambda, and nothing else of this process', async () => {
    process.env.SECRET_OF_THE_PARENT = 'x'
    const { fn, host } = aFunction('environment', {
      environment: { TABLE: 'orders' },
      memoryMb: 256,
      timeoutMs: 5_000,
    })

    const result = await fn.invoke({})
    delete process.env.SECRET_OF_THE_PARENT

    const { env, ...context } = payloadOf(result) as { env: Record<string, string>; remainingMs: number }
    expect(env).toMatchObject({
      TABLE: 'orders',
      AWS_LAMBDA_FUNCTION_NAME: 'test-function',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: host.url,
    })
    expect(env).not.toHaveProperty('SECRET_OF_THE_PARENT')
    expect(context).toMatchObject({
      functionName: 'test-function',
      memoryLimitInMB: '256',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:test-function',
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(context.remainingMs).toBeGreaterThan(4_000)
    expect(context.remainingMs).toBeLessThanOrEqual(5_000)
  })

  it('reports what the handler throws, and goes on with the same process', async () => {
    const { fn } = aFunction('fail')

    const result = await fn.invoke({})

    expect(result).toMatchObject({
      ok: false,
      kind: 'error',
      errorType: 'RangeError',
      errorMessage: 'seven is too many',
      trace: expect.arrayContaining([expect.stringContaining('function-handlers.mjs')]),
    })
    await fn.invoke({})
    expect(fn.stats()).toMatchObject({ failedInvocations: 2, startedProcesses: 1 })
  })

  it.each(['hang', 'spin'])(
    'kills a handler that does not come back in time (%s), and starts anew',
    async (name) => {
      const { fn } = aFunction(name, { timeoutMs: 300 })

      const result = await fn.invoke({})

      expect(result).toMatchObject({ ok: false, kind: 'timeout', errorType: 'Sandbox.Timedout' })
      expect(result.durationMs).toBeGreaterThanOrEqual(300)
      expect(fn.stats().processes).toBe(0)
    },
  )

  it('takes nothing that a handler sends to its parent for an answer', async () => {
    const { fn } = aFunction('sendToParent')

    const first = await fn.invoke({})

    expect(payloadOf(first)).toMatchObject({ send: 'undefined' })
    expect(pidOf(await fn.invoke({}))).toBe(pidOf(first))
  })

  it('tells a process that exits from a handler that fails', async () => {
    const { fn } = aFunction('exit')

    expect(await fn.invoke({})).toMatchObject({
      ok: false,
      kind: 'crash',
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringContaining('exit status 3'),
    })
  })

  it('kills a process whose resident size passes the limit, Buffers included', async () => {
    const { fn } = aFunction('hoard', { memoryMb: 160 })

    expect(await fn.invoke({})).toMatchObject({
      ok: false,
      kind: 'crash',
      errorType: 'Runtime.OutOfMemory',
      errorMessage: expect.stringContaining('limit 160 MB'),
    })
  })

  it('adds up what invocations leave behind, however short they are', async () => {
    const { fn } = aFunction('keep', { memoryMb: 256 })
    const results = []

    for (let n = 0; n < 5; n += 1) results.push(await fn.invoke({ bytes: 60 * 1024 * 1024 }))

    expect(results).toContainEqual(expect.objectContaining({ errorType: 'Runtime.OutOfMemory' }))
    expect(results[0]).toMatchObject({ ok: true })
  })

  it('does not begin with a module that fills the memory while it loads', async () => {
    const folder = await aFolder(cleanup)
    const file = join(folder, 'full.mjs')
    const handled = join(folder, 'handled')
    await writeFile(
      file,
      `import { writeFileSync } from 'node:fs'
      const held = Buffer.alloc(300 * 1024 * 1024, 1)
      export const handler = async () => writeFileSync(${JSON.stringify(handled)}, String(held.length))`,
    )
    const { fn } = aFunction('handler', { file, memoryMb: 256 })

    expect(await fn.invoke({})).toMatchObject({ kind: 'crash', errorType: 'Runtime.OutOfMemory' })
    await expect(readFile(handled)).rejects.toThrow()
  })

  it('tells its parent what it holds before all else, where the parent cannot look', async () => {
    const runner = fork(runnerFile(), [handlers, 'keep', String(process.pid), 'report-memory'], {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    cleanup.push(async () => runner.kill('SIGKILL'))
    const messages: ChildMessage[] = []
    runner.on('message', (message: ChildMessage) => messages.push(message))
    const until = (type: string) => expect.poll(() => messages.map((message) => message.type)).toContain(type)

    await until('ready')
    const event = JSON.stringify({ bytes: 60 * 1024 * 1024 })
    runner.send({ type: 'invoke', requestId: 'a', event, timeoutMs: 1_000 } satisfies InvokeMessage)
    await until('settled')

    const heldAt = (type: string) => {
      const before = messages[messages.findIndex((message) => message.type === type) - 1]
      return before?.type === 'memory' ? before.rssBytes : Number.NaN
    }
    expect(heldAt('settled') - heldAt('ready')).toBeGreaterThan(50 * 1024 * 1024)
  })

  it('refuses events and responses over 6 MB', async () => {
    const { fn } = aFunction('large')

    const fits = await fn.invoke({ bytes: 6 * 1024 * 1024 - 2 })
    const response = await fn.invoke({ bytes: 6 * 1024 * 1024 - 1 })
    const request = await fn.invoke('x'.repeat(6 * 1024 * 1024 - 1))

    expect(fits.ok).toBe(true)
    expect(response).toMatchObject({ kind: 'payload-too-large', errorType: 'Function.ResponseSizeTooLarge' })
    expect(request).toMatchObject({ kind: 'payload-too-large', errorType: 'RequestTooLargeException' })
  })

  it('names what is wrong with a result that is no JSON, and an export that is missing', async () => {
    expect(await aFunction('unserializable').fn.invoke({})).toMatchObject({
      errorType: 'Runtime.MarshalError',
    })
    expect(await aFunction('nowhere').fn.invoke({})).toMatchObject({
      kind: 'error',
      errorType: 'Runtime.HandlerNotFound',
      errorMessage: expect.stringContaining('nowhere'),
    })
  })

  it.each([
    ['misses an import', "import './nowhere.mjs'", 'Runtime.ImportModuleError', 'nowhere.mjs'],
    ['is no JavaScript', 'export const handler = (', 'Runtime.UserCodeSyntaxError', 'Unexpected'],
    ['throws', "throw new RangeError('no table is configured')", 'RangeError', 'no table is configured'],
    ['ends the process', 'process.exit(7)', 'Runtime.ExitError', 'exit status 7'],
  ])('names what keeps a module from loading that %s', async (_what, code, errorType, message) => {
    const file = join(await aFolder(cleanup), 'broken.mjs')
    await writeFile(file, `${code}\nexport const other = async () => {}\n`)
    const { fn } = aFunction('handler', { file })

    expect(await fn.invoke({})).toMatchObject({
      ok: false,
      errorType,
      errorMessage: expect.stringContaining(message),
    })
    expect(fn.stats().processes).toBe(0)
  })

  it('does not load a handler that wants to call back, since nobody would hear its error', async () => {
    const { fn } = aFunction('callBack')

    expect(await fn.invoke({})).toMatchObject({
      ok: false,
      kind: 'error',
      errorType: 'Runtime.CallbackHandlerDeprecated',
      errorMessage: expect.stringContaining('use a supported handler signature'),
    })
    expect(fn.stats().processes).toBe(0)
  })

  it('names a module that is gone since it was named', async () => {
    const file = join(await aFolder(cleanup), 'gone.mjs')
    await writeFile(file, 'export const handler = async () => {}\n')
    const { fn } = aFunction('handler', { file })
    await rm(file)

    expect(await fn.invoke({})).toMatchObject({
      errorType: 'Runtime.ImportModuleError',
      errorMessage: expect.stringContaining(file),
    })
  })

  it('refuses options that cannot work', () => {
    expect(() => aFunction('echo', { file: '/nowhere/handler.mjs' })).toThrow(/no such file/)
    expect(() => aFunction('echo', { file: 'handler.mjs' })).toThrow(/absolute path/)
    expect(() => aFunction('echo', { file: dirname(handlers) })).toThrow(/^file: .*That is no file/)
    expect(() => aFunction(5 as never)).toThrow(/^exportName: 5/)
    expect(() => aFunction('')).toThrow(/^exportName: ""/)
    expect(() => aFunction('echo', { environment: { RETRIES: 5 as never } })).toThrow(
      /^environment\.RETRIES: 5/,
    )
    expect(() => aFunction('echo', { environment: { TABLE: 'a\0b' } })).toThrow(/^environment\.TABLE/)
    expect(() => aFunction('echo', { environment: { TABLE: 'x'.repeat(4_085) } })).toThrow(
      /^environment: "4097 bytes" cannot be used/,
    )
    expect(() => aFunction('echo', { environment: { TABLE: 'x'.repeat(4_084) } })).not.toThrow()
    expect(() => aFunction('echo', { onLogLine: 'log' as never })).toThrow(/^onLogLine: "log"/)
    expect(() => aFunction('echo', { fault: 'throw' as never })).toThrow(/^fault: "throw"/)
    expect(() => aFunction('echo', { name: 'a b' })).toThrow(/^name/)
    expect(() => aFunction('echo', { timeoutMs: 0 })).toThrow(/^timeoutMs/)
    expect(() => aFunction('echo', { memoryMb: 64 })).toThrow(/^memoryMb/)
    expect(() => aFunction('echo', { maxConcurrency: 0 })).toThrow(/^maxConcurrency/)
    expect(() => aFunction('echo', { timeout: 5 } as object)).toThrow(
      /^timeout: 5 cannot be used\. There is no/,
    )
  })

  it('sends what it prints to standard error where nobody listens, behind its name', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const { fn } = aFunction('print')

    await fn.invoke({})
    const written = write.mock.calls.map(([text]) => String(text))
    write.mockRestore()

    expect(written.length).toBeGreaterThan(0)
    for (const line of written) expect(line).toMatch(/^test-function: .*\n$/)
  })

  it('sends embedded metrics to the metrics and other lines to onLogLine, all before the result', async () => {
    const lines: string[] = []
    const { fn, host } = aFunction('print', { onLogLine: (line, stream) => lines.push(`${stream}: ${line}`) })

    await fn.invoke({})

    expect(lines.sort()).toEqual([
      'stderr: an error line',
      'stdout: no newline at the end',
      'stdout: one line',
    ])
    expect(host.emfLines).toHaveLength(1)
    expect(host.emfLines[0]).toContain('"_aws"')
  })

  it('tells its own marks from control characters that a handler prints', async () => {
    const lines: string[] = []
    const { fn } = aFunction('printControls', { onLogLine: (line) => lines.push(line) })

    const result = await fn.invoke({})

    expect(lines).toEqual(['one\u0001line', '\u0001another\u0001', 'half\u0001a line'])
    // It was not waited for marks that were there.
    expect(result.durationMs).toBeLessThan(1_000)
  })

  it('puts what is wrong with an event, and with the fault that is asked for, into the result', async () => {
    const { fn, host } = aFunction('echo', {
      fault: ({ event }) => {
        if (event === 'fail') throw new RangeError('no such event')
        return undefined
      },
    })

    expect(await fn.invoke({ count: 1n })).toMatchObject({
      ok: false,
      kind: 'error',
      errorType: 'InvalidRequestContentException',
      errorMessage: expect.stringContaining('BigInt'),
    })
    expect(await fn.invoke('fail')).toMatchObject({
      ok: false,
      kind: 'error',
      errorType: 'RangeError',
      errorMessage: 'no such event',
      trace: expect.arrayContaining([expect.stringContaining('function.test.ts')]),
    })
    expect(host.data.filter(({ name, value }) => name === 'Errors' && value === 1)).toHaveLength(2)
  })

  it('publishes what Lambda publishes for a function', async () => {
    const { fn, host } = aFunction('fail')

    await fn.invoke({})

    const published = Object.fromEntries(
      host.data.map((datum) => [`${datum.namespace} ${datum.name}`, datum]),
    )
    expect(published['AWS/Lambda Invocations']).toMatchObject({
      value: 1,
      dimensions: { FunctionName: 'test-function' },
    })
    expect(published['AWS/Lambda Errors']).toMatchObject({ value: 1 })
    expect(published['AWS/Lambda Duration']?.value).toBeGreaterThan(0)
  })

  it('keeps nothing of what a process has answered', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const { fn } = aFunction('echo')
    const heapBytes = async (invocations: number) => {
      for (let n = 0; n < invocations; n += 1) await fn.invoke('x'.repeat(100_000))
      collect()
      return process.memoryUsage().heapUsed
    }

    const before = await heapBytes(20)
    // 30 MB of answers.
    expect((await heapBytes(300)) - before).toBeLessThan(10_000_000)
  })

  describe('with injected faults', () => {
    it('loses the handler’s work before it begins, or keeps it and loses the response', async () => {
      const file = join(await aFolder(cleanup), 'handled')
      const { fn } = aFunction('remember', {
        fault: ({ number }) => (['crash-before', 'crash-after', undefined] as const)[number - 1],
      })

      const before = await fn.invoke({ file })
      const after = await fn.invoke({ file })

      expect([before, after]).toMatchObject([{ kind: 'crash' }, { kind: 'crash' }])
      expect(await readFile(file, 'utf8')).toBe('handled\n')
      expect(await fn.invoke({ file })).toMatchObject({ ok: true })
      expect(fn.stats().startedProcesses).toBe(3)
    })

    it('runs out of memory when the handler has done its work', async () => {
      const file = join(await aFolder(cleanup), 'handled')
      const { fn } = aFunction('remember', { memoryMb: 200, fault: () => 'out-of-memory' })

      expect(await fn.invoke({ file })).toMatchObject({
        kind: 'crash',
        errorType: 'Runtime.OutOfMemory',
        errorMessage: expect.stringContaining('resident size 201 MB, limit 200 MB'),
      })
      expect(await readFile(file, 'utf8')).toBe('handled\n')
    })

    it('throttles without running the handler, which is no invocation then', async () => {
      const file = join(await aFolder(cleanup), 'handled')
      const { fn, host } = aFunction('remember', { fault: () => 'throttle' })

      expect(await fn.invoke({ file })).toMatchObject({
        ok: false,
        kind: 'throttled',
        errorType: 'TooManyRequestsException',
      })
      await expect(readFile(file, 'utf8')).rejects.toThrow()
      expect(host.data.map(({ name }) => name)).toEqual(['Throttles'])
    })

    it('throws without running the handler, and times out after running it', async () => {
      const { fn } = aFunction('echo', {
        timeoutMs: 300,
        fault: ({ event }) => (event === 'throw' ? 'throw' : 'timeout'),
      })

      expect(await fn.invoke('throw')).toMatchObject({ kind: 'error', errorType: 'InjectedFault' })
      expect(await fn.invoke('slow')).toMatchObject({ kind: 'timeout' })
    })
  })

  it('fails invocations for which no process can be started', async () => {
    const index = JSON.stringify(new URL('../dist/index.js', import.meta.url).href)
    const options = JSON.stringify({ name: 'fn', file: handlers, exportName: 'wait', maxConcurrency: 40 })
    const code = `import { startLocal } from ${index}
      const local = await startLocal()
      const fn = local.createFunction(${options})
      const results = await Promise.all(Array.from({ length: 40 }, () => fn.invoke({ ms: 100 })))
      console.log(JSON.stringify(results.filter(({ ok }) => !ok)))
      await local.close()`
    const limited = ['-c', 'ulimit -n 60 && exec "$0" --input-type=module -e "$1"', process.execPath, code]

    const { stdout } = await promisify(execFile)('sh', limited)

    const failed: unknown[] = JSON.parse(stdout)
    expect(failed.length).toBeGreaterThan(0)
    for (const result of failed) {
      expect(result).toMatchObject({ kind: 'crash', errorMessage: expect.stringContaining('EMFILE') })
    }
  })

  it('settles what is under way and what waits when it is closed', async () => {
    const { fn } = aFunction('hang', { maxConcurrency: 1 })
    const running = [fn.invoke({}), fn.invoke({})]

    await fn.close()

    expect(await Promise.all(running)).toMatchObject([{ kind: 'crash' }, { kind: 'crash' }])
    expect(await fn.invoke({})).toMatchObject({ kind: 'crash' })
  })

  it.each(['hang', 'spin'])('leaves no process behind when its parent is killed (%s)', async (handler) => {
    const parent = aParent(handler)
    const child = await nextMessage(parent)
    expect(isRunning(child)).toBe(true)

    parent.kill('SIGKILL')

    await expect.poll(() => isRunning(child), { timeout: 5_000 }).toBe(false)
  })

  it('keeps its processes on Ctrl-C, so that its parent can drain', async () => {
    const parent = aParent('startProcess', { ms: 500 }, { detached: true })
    await nextMessage(parent)

    // A terminal sends it to the whole foreground group.
    process.kill(-parent.pid!, 'SIGINT')

    expect(await nextMessage(parent)).toBe(true)
  })

  describe('whose handler starts processes', () => {
    it('ends them when it is closed', async () => {
      const { fn } = aFunction('startProcess', { onLogLine: () => {} })
      const started = pidOf(await fn.invoke({}))
      expect(isRunning(started)).toBe(true)

      await fn.close()

      await expect.poll(() => isRunning(started)).toBe(false)
    })

    it.each([
      ['is killed at its timeout', { ms: 600_000 }, 'timeout'],
      ['exits', { exits: true }, 'crash'],
    ])('ends them when it %s, and does not wait for their output', async (_what, event, kind) => {
      const lines: string[] = []
      const { fn } = aFunction('startProcess', { timeoutMs: 400, onLogLine: (line) => lines.push(line) })
      const warm = pidOf(await fn.invoke({}))

      const result = await fn.invoke(event)

      expect(result).toMatchObject({ ok: false, kind })
      expect(result.durationMs).toBeLessThan(1_200)
      expect(lines).toHaveLength(2)
      const pids = lines.map((line) => Number(line.slice('pid '.length)))
      expect(pids[0]).toBe(warm)
      await expect.poll(() => pids.filter(isRunning)).toEqual([])
    })

    it.each([{ ms: 600_000 }, { spins: true }])('ends them when its parent is killed (%j)', async (event) => {
      const parent = aParent('startProcess', event)
      const started = await nextMessage(parent)
      expect(isRunning(started)).toBe(true)

      parent.kill('SIGKILL')

      await expect.poll(() => isRunning(started), { timeout: 5_000 }).toBe(false)
    })

    it('lets its parent end beside one that has left its group and holds its output', async () => {
      const parent = aParent('startProcess', { detached: true })
      const exited = once(parent, 'exit')
      const started = await nextMessage(parent)
      cleanup.push(async () => process.kill(started))

      expect(await exited).toEqual([0, null])
      expect(isRunning(started)).toBe(true)
    })
  })
})

function payloadOf(result: Awaited<ReturnType<LocalFunction['invoke']>>): unknown {
  if (!result.ok) throw new Error(`the invocation failed: ${result.errorType} ${result.errorMessage}`)
  return result.payload
}

function pidOf(result: Awaited<ReturnType<LocalFunction['invoke']>>): number {
  return (payloadOf(result) as { pid: number }).pid
}

function aParent(handler: string, event: object = {}, options: ForkOptions = {}): ChildProcess {
  const file = fileURLToPath(new URL('./function-parent.mjs', import.meta.url))
  const parent = fork(file, [handler, JSON.stringify(event)], { execArgv: [], ...options })
  cleanup.push(async () => parent.kill('SIGKILL'))
  return parent
}

function nextMessage(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (pid) => resolve(pid as number))
    child.once('exit', (code) => reject(new Error(`the parent ended by itself with ${code}`)))
  })
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // A zombie is gone, too: a container may have no init that reaps it.
  return !/^State:\s+Z/m.test(statusOf(pid))
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}
