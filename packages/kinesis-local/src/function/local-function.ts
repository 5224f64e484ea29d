import { randomUUID } from 'node:crypto'
import { lambdaQuotas } from '@org/kinesis-core'
import { admitInvocation } from './admit-invocation.js'
import { type ChildFault, type ChildOutcome, FunctionChild } from './function-child.js'
import { type LocalFunctionOptions, resolveLocalFunctionOptions } from './function-options.js'
import type { HostDependencies } from './host-dependencies.js'
import { publishInvocation } from './invocation-metrics.js'
import {
  crash,
  type InvocationResult,
  outOfMemory,
  type Settled,
  timedOut,
  tooLarge,
} from './invocation-result.js'
import { functionArn, lambdaEnvironment } from './lambda-environment.js'

export interface LocalFunctionStats {
  invocations: number
  /** Invocations that failed, in whatever way. */
  failedInvocations: number
  /** Under way now. */
  running: number
  /** Waiting for a process to be free. */
  waiting: number
  /** Processes alive now. */
  processes: number
  /** Processes started so far. */
  startedProcesses: number
}

export interface LocalFunction {
  readonly name: string
  readonly arn: string
  /** Runs the handler in a child process. Never rejects: what goes wrong is in the result. */
  invoke(event: unknown): Promise<InvocationResult>
  stats(): LocalFunctionStats
  /** Kills the processes; invocations that are under way or waiting settle as crashes. */
  close(): Promise<void>
}

interface Job {
  requestId: string
  event: string
  fault: ChildFault | undefined
  resolve: (result: InvocationResult) => void
}

/** A handler as Lambda would run it: in processes of its own, with real timeouts, crashes and memory, and a JSON round trip. */
export function createLocalFunction(
  options: LocalFunctionOptions,
  deps: HostDependencies,
  onClosed: () => void = () => {},
): LocalFunction {
  const resolved = resolveLocalFunctionOptions(options)
  const { name, timeoutMs, memoryMb, maxConcurrency } = resolved
  const { metrics, clock } = deps
  const arn = functionArn(name, deps)
  const idle: FunctionChild[] = []
  const children = new Set<FunctionChild>()
  const queue: Job[] = []
  const counts = { invocations: 0, failed: 0, running: 0, started: 0 }
  let closed = false

  const onLine = (line: string, stream: 'stdout' | 'stderr') => {
    if (line.startsWith('{') && line.includes('"_aws"') && metrics.ingestEmf(line, clock.now())) return
    resolved.onLogLine(line, stream)
  }

  function startChild(): FunctionChild {
    counts.started += 1
    const logStream = `${new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${randomUUID().replaceAll('-', '')}`
    const child = new FunctionChild({
      ...resolved,
      environment: lambdaEnvironment(resolved, deps, logStream),
      onLine,
    })
    children.add(child)
    return child
  }

  function pump(): void {
    while (queue.length > 0 && counts.running < maxConcurrency) {
      // The process that was busy last is the warmest; a child may have died while it was idle.
      let child = idle.pop()
      if (child !== undefined && !child.isUsable) {
        children.delete(child)
        continue
      }
      child ??= startChild()
      void run(child, queue.shift()!)
    }
  }

  async function run(child: FunctionChild, { requestId, event, fault, resolve }: Job): Promise<void> {
    counts.running += 1
    const startedAt = performance.now()
    const outcome = await child.invoke({ requestId, event }, fault)
    counts.running -= 1
    if (child.isUsable) idle.push(child)
    else children.delete(child)
    resolve(
      settle(describeOutcome(outcome, requestId, { timeoutMs, memoryMb }), performance.now() - startedAt),
    )
    pump()
  }

  function settle(result: Settled, durationMs: number): InvocationResult {
    publishInvocation(deps, name, result, durationMs)
    if (!result.ok) counts.failed += 1
    return { ...result, durationMs }
  }

  return {
    name,
    arn,

    async invoke(event) {
      counts.invocations += 1
      const requestId = randomUUID()
      if (closed) return settle(crash(requestId, 'the function is closed'), 0)
      const admission = admitInvocation(counts.invocations, event, resolved.fault)
      if ('refused' in admission) return settle(admission.refused, 0)
      return new Promise((resolve) => {
        queue.push({ requestId, ...admission, resolve })
        pump()
      })
    },

    stats: () => ({
      invocations: counts.invocations,
      failedInvocations: counts.failed,
      running: counts.running,
      waiting: queue.length,
      processes: [...children].filter((child) => child.isUsable).length,
      startedProcesses: counts.started,
    }),

    async close() {
      closed = true
      for (const { requestId, resolve } of queue.splice(0)) {
        resolve(settle(crash(requestId, 'the function is closed'), 0))
      }
      await Promise.all([...children].map((child) => child.close()))
      onClosed()
    },
  }
}

function describeOutcome(
  outcome: ChildOutcome,
  requestId: string,
  limits: { timeoutMs: number; memoryMb: number },
): Settled {
  switch (outcome.kind) {
    case 'payload':
      if (Buffer.byteLength(outcome.payload) > lambdaQuotas.maxPayloadBytes) {
        return tooLarge('Function.ResponseSizeTooLarge', 'Response', outcome.payload)
      }
      return { ok: true, payload: JSON.parse(outcome.payload) }
    case 'error':
      return { ok: false, kind: 'error', ...outcome.error }
    case 'timeout':
      return timedOut(requestId, limits.timeoutMs)
    case 'out-of-memory':
      return outOfMemory(requestId, Math.ceil(outcome.rssBytes / 1024 ** 2), limits.memoryMb)
    case 'exit':
      return crash(requestId, outcome.reason)
  }
}
