import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TaskProcess } from '../../../bench/task-process.ts'
import type { SinkOrder, SinkReport } from './sink/serve.ts'

export type { SinkReport } from './sink/serve.ts'

/** The TLS endpoint that all sides send to, in a process of its own. */
export class Sink {
  readonly url: string
  /** For NODE_EXTRA_CA_CERTS, so that every client trusts it without an option. */
  readonly caFile: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(child: ChildProcess, folder: string, url: string, caFile: string) {
    this.url = url
    this.caFile = caFile
    this.#child = child
    this.#folder = folder
  }

  static async start(): Promise<Sink> {
    const child = fork(fileURLToPath(new URL('./sink/serve.ts', import.meta.url)))
    const [{ url, cert }] = (await once(child, 'message')) as [{ url: string; cert: string }]
    const folder = await mkdtemp(join(tmpdir(), 'producer-bench-'))
    const caFile = join(folder, 'ca.pem')
    await writeFile(caFile, cert)
    return new Sink(child, folder, url, caFile)
  }

  /** A fresh process that does one task against it. */
  start(file: URL, task: object, profileFolder?: string): TaskProcess {
    const env = {
      NODE_EXTRA_CA_CERTS: this.caFile,
      // Of version 2 of the AWS SDK: it keeps its connections, and keeps its notice to itself.
      AWS_NODEJS_CONNECTION_REUSE_ENABLED: '1',
      AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
    }
    return new TaskProcess(file, { ...task, url: this.url }, { env, profileFolder })
  }

  async tell(order: SinkOrder): Promise<SinkReport> {
    this.#child.send(order)
    const [report] = (await once(this.#child, 'message')) as [SinkReport]
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.disconnect()
    await once(this.#child, 'exit')
    await rm(this.#folder, { recursive: true, force: true })
  }
}
