import { printable } from './printable.js'

/** How many of the same kind are shown; the rest is counted. */
const MAX_SHOWN = 5

/** Standard error: lines that stay, and on a terminal a last line that is redrawn. */
export class ErrorOutput {
  readonly #shown = new Map<string, Set<string>>()
  #hasProgress = false

  constructor(private readonly stream: NodeJS.WriteStream) {}

  get isTerminal(): boolean {
    return this.stream.isTTY === true
  }

  get columns(): number {
    return this.stream.columns ?? 80
  }

  /** Whatever is in the message: it leaves the terminal as it is. */
  say(message: string): void {
    this.clearProgress()
    this.stream.write(`kinesis-produce: ${printable(message)}\n`)
  }

  /** One of possibly very many: each text once, and no more than a few of a kind. */
  sayOneOf(kind: string, message: string): void {
    const shown = this.#shown.get(kind) ?? new Set()
    if (shown.size > MAX_SHOWN || shown.has(message)) return
    this.#shown.set(kind, shown.add(message))
    this.say(shown.size > MAX_SHOWN ? `More ${kind} are counted, not shown.` : message)
  }

  showProgress(line: string): void {
    this.#hasProgress = true
    this.stream.write(`\r${line}\u001b[K`)
  }

  clearProgress(): void {
    if (this.#hasProgress) this.stream.write('\r\u001b[K')
    this.#hasProgress = false
  }
}
