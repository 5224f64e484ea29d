import { type ChildProcess, fork } from 'node:child_process'
import { on, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Sink } from './sink.ts'

/** A fresh process that does one task against the sink. */
export class TaskProcess {
  readonly ended: Promise<unknown>
  readonly #child: ChildProcess
  readonly #messages: AsyncIterator<[object]>

  /** @param profileFolder where it leaves a CPU profile, if anywhere */
  constructor(file: string, sink: Sink, task: object, profileFolder?: string) {
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), {
      env: {
        ...process.env,
        NODE_EXTRA_CA_CERTS: sink.caFile,
        // Of version 2 of the AWS SDK: it keeps its connections, and keeps its notice to itself.
        AWS_NODEJS_CONNECTION_REUSE_ENABLED: '1',
        AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
      },
      execArgv: profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`],
    })
    this.ended = once(this.#child, 'exit')
    this.#messages = on(this.#child, 'message', { close: ['disconnect'] }) as AsyncIterator<[object]>
    this.#child.send({ ...task, url: sink.url })
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
