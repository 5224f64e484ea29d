import { type ChildProcess, fork } from 'node:child_process'
import { on, once } from 'node:events'

export interface TaskProcessOptions {
  /** Beside this process's own. */
  env?: NodeJS.ProcessEnv
  /** Where it leaves a CPU profile, if anywhere. */
  profileFolder?: string | undefined
  /** What it prints is dropped, but its complaints. */
  quiet?: boolean
}

/** A fresh process that does one task, which it gets as its first message. */
export class TaskProcess {
  readonly ended: Promise<unknown>
  readonly #child: ChildProcess
  readonly #messages: AsyncIterator<[object]>

  constructor(file: URL, task: object, { env, profileFolder, quiet = false }: TaskProcessOptions = {}) {
    const profiling = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
    this.#child = fork(file, {
      env: { ...process.env, ...env },
      execArgv: profiling,
      stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit', 'ipc'],
    })
    this.ended = once(this.#child, 'exit')
    this.#messages = on(this.#child, 'message', { close: ['disconnect'] }) as AsyncIterator<[object]>
    this.#child.send(task)
  }

  /** The next that it says; throws what it failed with, if it did. */
  async answer<T extends object>(): Promise<T> {
    const next = await this.#messages.next()
    if (next.done) throw new Error('The process ended without a result.')
    const [answer] = next.value
    if ('error' in answer) throw new Error(String(answer.error))
    return answer as T
  }

  /** Lets it go on where it waits. */
  proceed(): void {
    this.#child.send('proceed')
  }

  /** Ends it, whatever it does. */
  end(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}
