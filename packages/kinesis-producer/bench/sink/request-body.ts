const QUOTE = 0x22
const COMMA = 0x2c
const OPENING_BRACE = 0x7b
const RECORDS = Buffer.from('"Records":[')

/** What the sink reads of an entry. */
export interface Entry {
  partitionKey: string
  explicitHashKey: string | undefined
  /** Data and partition key, as the service counts them. */
  sizeBytes: number
}

/**
 * The entries of a PutRecords body, without parsing it as JSON, which would cost several times as much as all the rest of the sink. It takes what
 * clients write: no white space, and no escapes in keys. The same object comes again for each entry.
 */
export function* entriesOf(body: Buffer): Generator<Entry> {
  const entry: Entry = { partitionKey: '', explicitHashKey: undefined, sizeBytes: 0 }
  const start = body.indexOf(RECORDS)
  if (start < 0) throw new Error('The body has no Records.')
  let at = start + RECORDS.length
  while (body[at] === OPENING_BRACE) {
    let partitionKeyBytes = 0
    let dataBytes = 0
    entry.explicitHashKey = undefined
    do {
      const name = body[at + 2]
      const valueAt = quoteFrom(body, at + 2) + 3
      if (body[valueAt - 1] !== QUOTE) throw new Error('A field of an entry is no string.')
      const endAt = name === D ? body.indexOf(QUOTE, valueAt) : quoteFrom(body, valueAt)
      if (name === D) dataBytes = base64Bytes(body, valueAt, endAt)
      else if (name === P) {
        entry.partitionKey = body.toString('latin1', valueAt, endAt)
        partitionKeyBytes = endAt - valueAt
      } else if (name === E) entry.explicitHashKey = body.toString('latin1', valueAt, endAt)
      at = endAt + 1
    } while (body[at] === COMMA)
    entry.sizeBytes = dataBytes + partitionKeyBytes
    yield entry
    // Behind the brace, and behind the comma if there is another.
    at += 2
  }
}

const D = 'D'.charCodeAt(0)
const P = 'P'.charCodeAt(0)
const E = 'E'.charCodeAt(0)

/** Names and keys are short: a call of `indexOf` costs more than to look at their bytes. */
function quoteFrom(body: Buffer, from: number): number {
  let at = from
  while (at < body.length && body[at] !== QUOTE) at++
  return at
}

const PADDING = 0x3d

function base64Bytes(body: Buffer, from: number, to: number): number {
  const padding = body[to - 1] !== PADDING ? 0 : body[to - 2] !== PADDING ? 1 : 2
  return ((to - from) * 3) / 4 - padding
}
