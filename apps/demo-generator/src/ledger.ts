import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { OutgoingEvent } from './outgoing-event.js'

/** What became of one event, one tab-separated line each, in the order in which they settled. */
export class Ledger {
  readonly #file: WriteStream

  constructor(path: string) {
    this.#file = createWriteStream(path)
    // Told by `close`, which everybody awaits; without a listener it would end the process with a stack trace.
    this.#file.on('error', () => {})
  }

  delivered(put: SettledPut, shardId: string, sequenceNumber: string): void {
    this.#write(put, 'ok', shardId, sequenceNumber)
  }

  failed(put: SettledPut, code: string): void {
    this.#write(put, `failed:${code}`, '', '')
  }

  async close(): Promise<void> {
    const flushed = finished(this.#file)
    this.#file.end()
    await flushed
  }

  #write(
    { index, event, partitionKey, putAtMs }: SettledPut,
    outcome: string,
    shardId: string,
    sequenceNumber: string,
  ): void {
    const fields = [
      index,
      event.kind,
      event.decodable ? 1 : 0,
      event.eventId,
      event.userId,
      partitionKey,
      putAtMs.toFixed(3),
      outcome,
      shardId,
      sequenceNumber,
    ]
    this.#file.write(`${fields.map(escapeField).join('\t')}\n`)
  }
}

export interface SettledPut {
  index: number
  event: OutgoingEvent
  partitionKey: string
  putAtMs: number
}

function escapeField(field: string | number): string {
  return String(field).replace(/[\t\n\\]/g, (character) =>
    character === '\t' ? '\\t' : character === '\n' ? '\\n' : '\\\\',
  )
}
