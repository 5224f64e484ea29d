import { type ChildProcess, fork } from 'node:child_process'
import { ChildOutput, type OnLine } from './child-output.js'
import type { ChildError, ChildMessage, InvokeMessage } from './child-protocol.js'
import { deferred } from './deferred.js'
import { canReadResidentMemory, residentBytes } from './resident-memory.js'
import { runnerFile } from './runner-location.js'

export interface FunctionChildOptions {
  file: string
  exportName: string
  environment: Record<string, string>
  timeoutMs: number
  memoryMb: number
  onLine: OnLine
}

type InvocationRequest = Pick<InvokeMessage, 'requestId' | 'event'>

/** How an invocation ended in the child. */
export type ChildOutcome =
  | { kind: 'payload'; payload: string }
  | { kind: 'error'; error: ChildError }
  | { kind: 'timeout' }
  | { kind: 'out-of-memory'; rssBytes: number }
  | { kind: 'exit'; reason: string }

/** What an injected fault does to one invocation in the child. */
export type ChildFault = 'crash-before' | 'crash-after' | 'timeout' | 'out-of-memory'

/** A process that is killed on purpose ends as one that the system kills. */
const CRASH: ChildOutcome = { kind: 'exit', reason: 'signal: killed' }
/** Lambda gives a runtime ten seconds to start, apart from the function's timeout; a busy laptop may need the longer of the two. */
const MIN_INIT_MS = 10_000
const MEMORY_CHECK_MS = 100
/** What a handler starts is in the group of its process, and ends with it. Windows has no groups. */
const hasGroups = process.platform !== 'win32'

/**
 * One child process of a function: starts with its first invocation and is used until it dies. Time is real here whatever clock a test
 * holds, because the child's is.
 */
export class FunctionChild {
  #options: FunctionChildOptions
  #process: ChildProcess
  #output: ChildOutput
  /** From its start to its end: a module that loads fills the memory, too, and so does what invocations leave to timers. */
  #memoryWatch: NodeJS.Timeout
  #ready = deferred<'ready'>()
  #asked: { requestId: string; settle: (outcome: ChildOutcome) => void } | undefined
  #exited = deferred<string>()
  #endListeners = new Set<(reason: string) => void>()
  #killed: ChildOutcome | undefined
  #alive = true

  constructor(options: FunctionChildOptions) {
    this.#options = options
    this.#process = fork(
      runnerFile(),
      [options.file, options.exportName, String(process.pid), canReadResidentMemory ? '' : 'report-memory'],
      {
        env: options.environment,
        // As Lambda does for Node: the heap gives up a little before the sandbox would.
        execArgv: [`--max-old-space-size=${Math.max(16, Math.floor(options.memoryMb * 0.9))}`],
        // Not JSON, which would escape the event's JSON once more.
        serialization: 'advanced',
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        detached: hasGroups,
      },
    )
    this.#process.on('message', (message: ChildMessage | null) => this.#receive(message))
    this.#process.on('error', (error) => this.#end(error.message))
    this.#process.on('exit', (code, signal) => {
      this.#killGroup()
      this.#end(
        signal === null ? `exit status ${code}` : `signal: ${signal === 'SIGKILL' ? 'killed' : signal}`,
      )
    })
    this.#output = new ChildOutput(this.#process, options.onLine)
    this.#memoryWatch = setInterval(() => this.#weigh(), MEMORY_CHECK_MS).unref()
  }

  /** Whether it can take another invocation. */
  get isUsable(): boolean {
    return this.#alive && this.#killed === undefined
  }

  /** Runs one invocation; never rejects. After anything but a payload or an error the child is gone. */
  async invoke(request: InvocationRequest, fault?: ChildFault): Promise<ChildOutcome> {
    const { timeoutMs, memoryMb } = this.#options
    const printed = this.#output.of(request.requestId)
    if (fault === 'crash-before') this.#kill(CRASH)
    const start = await this.#limited(Math.max(MIN_INIT_MS, timeoutMs), this.#ready.promise)
    const outcome = start === 'ready' ? await this.#limited(timeoutMs, this.#ask(request, fault)) : start
    if (fault === 'crash-after') this.#kill(CRASH)
    if (fault === 'out-of-memory') this.#checkMemory((memoryMb + 1) * 1024 * 1024)
    // What was killed has no answer, even if one came meanwhile; but it is gone before anybody is told.
    if (this.#killed !== undefined) await this.#exited.promise
    await printed()
    return this.#killed ?? outcome
  }

  /** Ends the process at once; an invocation that is under way settles as a crash. */
  async close(): Promise<void> {
    this.#kill(CRASH)
    await this.#exited.promise
  }

  #ask(request: InvocationRequest, fault?: ChildFault): Promise<ChildOutcome> {
    const { promise, resolve } = deferred<ChildOutcome>()
    this.#asked = { requestId: request.requestId, settle: fault === 'timeout' ? () => {} : resolve }
    const { timeoutMs } = this.#options
    this.#process.send({ type: 'invoke', ...request, timeoutMs } satisfies InvokeMessage, () => {})
    return promise
  }

  /** What `promise` brings, or the end of the process, or a timeout that kills it. */
  async #limited<T>(limitMs: number, promise: Promise<T>): Promise<T | ChildOutcome> {
    const timer = setTimeout(() => this.#kill({ kind: 'timeout' }), limitMs)
    const { promise: end, resolve } = deferred<ChildOutcome>()
    // Not `then` of the promise of the exit: that would keep every answer until the process ends.
    const onEnd = (reason: string) => resolve(this.#killed ?? { kind: 'exit', reason })
    if (this.#alive) this.#endListeners.add(onEnd)
    else void this.#exited.promise.then(onEnd)
    try {
      return await Promise.race([promise, end])
    } finally {
      clearTimeout(timer)
      this.#endListeners.delete(onEnd)
    }
  }

  #kill(outcome: ChildOutcome): void {
    if (!this.#alive) return
    this.#killed ??= outcome
    this.#killGroup()
  }

  #killGroup(): void {
    const { pid } = this.#process
    if (pid === undefined) return
    try {
      process.kill(hasGroups ? -pid : pid, 'SIGKILL')
    } catch {
      // Nothing of it is left.
    }
  }

  /** A handler that looks for the channel may still find it: what is not of this protocol is none of the parent's business. */
  #receive(message: ChildMessage | null): void {
    // No watch is quick enough for the shortest invocations: whatever a process says that holds too much, it is killed.
    this.#weigh()
    if (this.#killed !== undefined) return
    switch (message?.type) {
      case 'ready':
        this.#ready.resolve('ready')
        break
      case 'memory':
        this.#checkMemory(message.rssBytes)
        break
      case 'init-error':
        this.#kill({ kind: 'error', error: message.error })
        break
      case 'settled':
        if (message.requestId !== this.#asked?.requestId) break
        this.#asked.settle(
          message.ok
            ? { kind: 'payload', payload: message.payload }
            : { kind: 'error', error: message.error },
        )
    }
  }

  #end(reason: string): void {
    this.#alive = false
    clearInterval(this.#memoryWatch)
    this.#exited.resolve(reason)
    for (const listener of this.#endListeners) listener(reason)
  }

  #weigh(): void {
    const { pid } = this.#process
    const rssBytes = pid === undefined ? undefined : residentBytes(pid)
    if (rssBytes !== undefined) this.#checkMemory(rssBytes)
  }

  #checkMemory(rssBytes: number): void {
    if (rssBytes > this.#options.memoryMb * 1024 * 1024) this.#kill({ kind: 'out-of-memory', rssBytes })
  }
}
