import { createHash } from 'node:crypto'

/** What happened in a simulation: a call of a service, or an invocation of a function. Nothing in it is random but by the seed. */
export interface TraceEntry {
  /** Since the simulation began, in milliseconds of its own time. */
  atMs: number
  /** `kinesis.PutRecords`, say, or `invoke.NAME`. */
  what: string
  /** Of its kind, from 1. */
  number: number
  /** `ok`, or what went wrong. */
  outcome: string
  /** How many records, entries or items it was about. */
  count: number
}

/** Keeps no entry: a digest of them all, so that two runs can be compared however long they were. */
export class Trace {
  readonly #hash = createHash('sha256')
  #length = 0

  constructor(private readonly onEntry: (entry: TraceEntry) => void) {}

  add(entry: TraceEntry): void {
    this.#length += 1
    const { atMs, what, number, outcome, count } = entry
    this.#hash.update(`${atMs} ${what} ${number} ${outcome} ${count}\n`)
    this.onEntry(entry)
  }

  get length(): number {
    return this.#length
  }

  /** Hexadecimal, of everything so far. */
  digest(): string {
    return this.#hash.copy().digest('hex')
  }
}
