import { type FirehoseResponseRecord, firehoseQuotas } from '@org/kinesis-core'

/** Around the records. */
const RESPONSE_BYTES = 1_000

/**
 * Keeps a response within what Lambda and Firehose take: one above fails as a whole, which would fail its good records too. Room for
 * the bare answer of every record is set aside first, so that none goes without.
 */
export class ResponseBudget {
  #leftBytes: number

  constructor(records: readonly { recordId: string }[]) {
    this.#leftBytes = firehoseQuotas.maxTransformPayloadBytes - RESPONSE_BYTES
    for (const { recordId } of records) this.#leftBytes -= bytesOf({ recordId, result: 'ProcessingFailed' })
  }

  /** @returns false where the answer does not fit beside those before it */
  take(answer: FirehoseResponseRecord): boolean {
    const moreBytes = bytesOf(answer) - bytesOf({ recordId: answer.recordId, result: 'ProcessingFailed' })
    if (moreBytes > this.#leftBytes) return false
    this.#leftBytes -= moreBytes
    return true
  }
}

/** As JSON, with a comma. Base64 needs no escapes. */
function bytesOf({ data, ...rest }: FirehoseResponseRecord): number {
  const dataBytes = data === undefined ? 0 : data.length + '"data":"",'.length
  return Buffer.byteLength(JSON.stringify(rest)) + dataBytes + 1
}
