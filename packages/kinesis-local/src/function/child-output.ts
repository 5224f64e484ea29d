import type { ChildProcess } from 'node:child_process'
import { LineSplitter } from './line-splitter.js'

/** How long the last lines of an invocation may lag behind its answer, and those of a process behind its end. */
const GRACE_MS = 1_000

const STREAMS = ['stdout', 'stderr'] as const

export type OnLine = (line: string, stream: (typeof STREAMS)[number]) => void

/** What a child process prints, line by line, and where the lines of an invocation end. */
export class ChildOutput {
  #marks = new Map<string, () => void>()

  constructor(child: ChildProcess, onLine: OnLine) {
    for (const name of STREAMS) {
      const stream = child[name]
      // A process that could not be started, for want of file descriptors, has no pipes.
      if (!stream) continue
      const splitter = new LineSplitter(
        (line) => onLine(line, name),
        (mark) => {
          const seen = this.#marks.get(`${name} ${mark}`)
          seen?.()
          return seen !== undefined
        },
      )
      stream.on('data', (chunk: Buffer) => splitter.write(chunk))
      stream.on('close', () => {
        splitter.end()
        for (const [key, seen] of this.#marks) if (key.startsWith(name)) seen()
      })
      // What has left the group may still hold the pipe, which would keep this process from ending.
      child.on('exit', () => setTimeout(() => stream.destroy(), GRACE_MS).unref())
    }
  }

  /** To be asked for before an invocation; what it gives is called after it, and resolves when every line was read, or takes too long. */
  of(requestId: string): () => Promise<void> {
    const marked = (key: string) =>
      new Promise<void>((resolve) => {
        this.#marks.set(key, () => {
          // One that comes late is still a mark, and no line of the handler's.
          this.#marks.delete(key)
          resolve()
        })
      })
    const all = Promise.all(STREAMS.map((name) => marked(`${name} end ${requestId}`)))
    return async () => {
      let timer: NodeJS.Timeout | undefined
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, GRACE_MS)
      })
      await Promise.race([all, limit])
      clearTimeout(timer)
    }
  }
}
