import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { StreamingError } from '@org/kinesis-core'

interface GeneratorProgress {
  produced: number
  acknowledged: number
  failed: number
  /** Events that were due but are not put yet. */
  behind: number
}

export interface GeneratorProcess {
  readonly progress: GeneratorProgress
  readonly pid: number | undefined
  /** Resolves when it has drained and ended well; rejects with its own last line otherwise. */
  readonly done: Promise<void>
  /** Asks it to stop generating; what was put is still drained. */
  stop(): void
  kill(): void
}

/**
 * Runs the generator's own command line as a process of its own, as a user would: it shares nothing with the pipeline but the
 * endpoint. Standard input is handed on, so that it can be replayed.
 */
export function startGenerator(args: string[], environment: Record<string, string>): GeneratorProcess {
  const cli = fileURLToPath(import.meta.resolve('@org/demo-generator/cli'))
  const child: ChildProcess = spawn(process.execPath, [cli, ...args, '--progress', 'ipc'], {
    stdio: ['inherit', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...environment },
  })
  const progress: GeneratorProgress = { produced: 0, acknowledged: 0, failed: 0, behind: 0 }
  let lastWords = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    lastWords = `${lastWords}${text}`.slice(-4_000)
  })
  child.on('message', (message: { type: string } & GeneratorProgress) => {
    if (message.type !== 'progress' && message.type !== 'done') return
    const { produced, acknowledged, failed, behind } = message
    Object.assign(progress, { produced, acknowledged, failed, behind })
  })
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve()
      const reason = lastWords.trim().split('\n').at(-1) || `it ended with ${signal ?? `status ${code}`}`
      reject(new StreamingError(reason, { code: 'GENERATOR_FAILED', retryable: false }))
    })
  })
  // Whoever awaits `done` hears of a failure; until then it must not count as unhandled.
  done.catch(() => {})
  return {
    progress,
    pid: child.pid,
    done,
    stop: () => void (child.connected && child.send({ type: 'stop' })),
    kill: () => void child.kill('SIGKILL'),
  }
}
