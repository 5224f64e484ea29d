import { StringDecoder } from 'node:string_decoder'

/** CloudWatch takes log events of up to 1 MiB; a line without an end must not fill the memory either. */
const MAX_LINE_LENGTH = 1024 * 1024
const MARK = '\u0001'

/** Cuts a child's output into lines, and tells marks (`\u0001…\u0001`, where `onMark` knows them) from what a handler wrote. */
export class LineSplitter {
  #decoder = new StringDecoder('utf8')
  #rest = ''
  #onLine: (line: string) => void
  #onMark: (mark: string) => boolean

  constructor(onLine: (line: string) => void, onMark: (mark: string) => boolean) {
    this.#onLine = onLine
    this.#onMark = onMark
  }

  write(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) this.#take(line.endsWith('\r') ? line.slice(0, -1) : line)
    if (this.#rest.length > MAX_LINE_LENGTH) this.end()
  }

  /** What is left is a line, too. */
  end(): void {
    const rest = this.#rest
    this.#rest = ''
    this.#take(rest)
  }

  #take(line: string): void {
    // A handler that wrote half a line, whatever is in it, leaves it in front of the mark.
    const markAt = line.endsWith(MARK) ? line.lastIndexOf(MARK, line.length - 2) : -1
    const isMarked = markAt !== -1 && this.#onMark(line.slice(markAt + 1, -1))
    const text = isMarked ? line.slice(0, markAt) : line
    if (text !== '') this.#onLine(text)
  }
}
