import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { GeneratorMessage, GeneratorProgress } from '@org/demo-generator/command-line'
import { StreamingError } from '@org/kinesis-core'

export interface GeneratorProcess {
  readonly progress: Readonly<GeneratorProgress>
  /** What it had to say of a run that ended well, or not. */
  readonly warnings: readonly string[]
  /** Resolves when it has drained and ended well; rejects with its own reason otherwise. */
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
  const progress: GeneratorProgress = {
    produced: 0,
    acknowledged: 0,
    failed: 0,
    behind: 0,
    skippedLines: 0,
  }
  const warnings: string[] = []
  let lastWords = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    lastWords = `${lastWords}${text}`.slice(-4_000)
  })
  child.on('message', (message: GeneratorMessage) => {
    if (message.type === 'end') warnings.push(...message.warnings)
    const { produced, acknowledged, failed, behind, skippedLines, readShare } = message
    Object.assign(progress, { produced, acknowledged, failed, behind, skippedLines, readShare })
  })
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      // Ctrl-C reaches the whole group: one that dies of it had not begun, since it takes the signal over before it does.
      if (code === 0 || signal === 'SIGINT') return resolve()
      const reason = reasonIn(lastWords) ?? `The generator ended with ${signal ?? `status ${code}`}.`
      reject(new StreamingError(reason, { code: 'GENERATOR_FAILED', retryable: false }))
    })
  })
  // Whoever awaits `done` hears of a failure; until then it must not count as unhandled.
  done.catch(() => {})
  return {
    progress,
    warnings,
    done,
    stop: () => void (child.connected && child.send({ type: 'stop' })),
    kill: () => void child.kill('SIGKILL'),
  }
}

/** The line that says why: hints follow it, and warnings of Node's may come before and after. */
export function reasonIn(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const reason = lines.findLast((line) => /^(demo-generator|error|FATAL ERROR|\w*Error): /.test(line))
  return (reason ?? lines.at(-1))?.replace(/^(demo-generator|error): /, '')
}
