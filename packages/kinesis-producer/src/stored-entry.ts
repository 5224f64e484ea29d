import type { PutRecordsEntryResult } from './put-records-transport.js'

/** An entry that was stored, as the answer has it. Whoever wants no receipt never asks for the sequence number, and it is not made. */
export class StoredEntry implements PutRecordsEntryResult {
  readonly shardId: string
  readonly #answer: Buffer
  readonly #start: number
  readonly #end: number

  /** @param start of the sequence number in `answer`, which must not change any more */
  constructor(shardId: string, answer: Buffer, start: number, end: number) {
    this.shardId = shardId
    this.#answer = answer
    this.#start = start
    this.#end = end
  }

  get sequenceNumber(): string {
    return this.#answer.toString('latin1', this.#start, this.#end)
  }
}
