import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { ServicesReport } from './serve.ts'

/** The local services, in a process of their own that is no part of what is measured. */
export class Services {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  static async start(): Promise<Services> {
    const child = fork(new URL('./serve.ts', import.meta.url))
    const [{ url }] = (await once(child, 'message')) as [{ url: string }]
    return new Services(child, url)
  }

  /** Requests and items since the last time. */
  async report(): Promise<ServicesReport> {
    this.#child.send('report')
    const [report] = (await once(this.#child, 'message')) as [ServicesReport]
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.disconnect()
    await once(this.#child, 'exit')
  }
}
