import { type Clock, type Random, sleep } from '@org/kinesis-core'
import { functionSink, PermanentError, type Sink } from '../../src/index.js'
import { currentLife } from './mortality.js'
import type { Enriched } from './world.js'

export interface LedgerEntry {
  n: number
  key: string
  /** Which invocation wrote it. */
  life: object | undefined
  /** Whoever wrote it was told so. */
  isConfirmed: boolean
}

/** A target that cannot tell a repeat: it keeps every write in its order, so that the order of keys can be seen. */
export class Ledger {
  readonly entries: LedgerEntry[] = []

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly isDown: () => boolean,
    private readonly outside: <R>(work: () => Promise<R>) => Promise<R>,
  ) {}

  sink(): Sink<Enriched> {
    return functionSink((event: Enriched) => this.outside(() => this.#write(event)), { maxConcurrency: 8 })
  }

  async #write({ n, key, fate }: Enriched): Promise<void> {
    const life = currentLife()
    await sleep(this.clock, this.random() * 40)
    if (fate === 'unstorable') throw new PermanentError('The ledger has no page for it.')
    if (this.isDown()) throw new Error('The ledger is closed.')
    const entry = { n, key, life, isConfirmed: false }
    this.entries.push(entry)
    // It is written, and the answer is lost.
    if (this.isDown()) throw new Error('The connection to the ledger was cut.')
    entry.isConfirmed = true
  }
}
