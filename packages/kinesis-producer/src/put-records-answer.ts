import type { PutRecordsEntryResult } from './put-records-transport.js'
import { StoredEntry } from './stored-entry.js'

const RECORDS = Buffer.from('"Records":[')
const FAILED_RECORD_COUNT = Buffer.from('"FailedRecordCount":')
const ENCRYPTION_TYPE = Buffer.from('"EncryptionType":"')
const SEQUENCE_NUMBER = Buffer.from('"SequenceNumber":"')
const SHARD_ID = Buffer.from('"ShardId":"')
const ERROR_CODE = Buffer.from('"ErrorCode":"')
const ERROR_MESSAGE = Buffer.from('"ErrorMessage":"')
const SHARD_ID_PREFIX = Buffer.from('shardId-')
const SHARD_ID_DIGITS = 12
const QUOTE = 0x22
const COMMA = 0x2c
const ZERO = 0x30
const NINE = 0x39
const BACKSLASH = 0x5c
const CLOSING_BRACKET = 0x5d
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d

/** Printable ASCII but quotes and backslashes. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, code) =>
  code >= 0x20 && code <= 0x7e && code !== QUOTE && code !== BACKSLASH ? 1 : 0,
)

/** Of the numbers of shards, should a stream be resharded for years. */
const MAX_SHARD_IDS = 16_384

/**
 * Reads what PutRecords answers with HTTP 200: the results of the entries, in their order. The shape that the service writes is read
 * in one pass, without the objects, keys and strings of a JSON parser; whatever else is JSON goes through one. Throws the `SyntaxError`
 * of `JSON.parse` where the answer is cut short.
 */
export class PutRecordsAnswerReader {
  /** By number: one string for every shard, not one for every record. */
  readonly #shardIds = new Map<number, string>()

  read(answer: Buffer): readonly PutRecordsEntryResult[] {
    return new KnownShape(answer, this.#shardIds).read() ?? readAnyJson(answer)
  }
}

/** What PutRecords says, as the API has it. Without results it has none for any entry: the producer takes that for a fault. */
export function entryResults(output: unknown): readonly PutRecordsEntryResult[] {
  const records = asObject(output).Records
  if (!Array.isArray(records)) return []
  return records.map((record) => {
    const { ShardId, SequenceNumber, ErrorCode, ErrorMessage } = asObject(record)
    return {
      shardId: asString(ShardId),
      sequenceNumber: asString(SequenceNumber),
      errorCode: asString(ErrorCode),
      errorMessage: asString(ErrorMessage),
    }
  })
}

/** Compact JSON with known members only, in any order, and strings of printable ASCII without escapes. */
class KnownShape {
  readonly #answer: Buffer
  readonly #shardIds: Map<number, string>
  #at = 0

  constructor(answer: Buffer, shardIds: Map<number, string>) {
    this.#answer = answer
    this.#shardIds = shardIds
  }

  /** Undefined where the answer has another shape. */
  read(): PutRecordsEntryResult[] | undefined {
    const answer = this.#answer
    let results: PutRecordsEntryResult[] | undefined
    if (answer[this.#at] !== OPENING_BRACE) return undefined
    do {
      this.#at++
      if (startsWith(answer, this.#at, RECORDS)) {
        this.#at += RECORDS.length
        results = this.#readEntries()
        if (results === undefined) return undefined
      } else if (startsWith(answer, this.#at, FAILED_RECORD_COUNT)) {
        const end = endOfNumber(answer, this.#at + FAILED_RECORD_COUNT.length)
        if (end < 0) return undefined
        this.#at = end
      } else {
        if (!startsWith(answer, this.#at, ENCRYPTION_TYPE)) return undefined
        const end = endOfString(answer, this.#at + ENCRYPTION_TYPE.length)
        if (end < 0) return undefined
        this.#at = end + 1
      }
    } while (answer[this.#at] === COMMA)
    return answer[this.#at] === CLOSING_BRACE && this.#at === answer.length - 1 ? results : undefined
  }

  #readEntries(): PutRecordsEntryResult[] | undefined {
    const answer = this.#answer
    const results: PutRecordsEntryResult[] = []
    if (answer[this.#at] !== CLOSING_BRACKET) {
      // The loop takes the comma before an entry.
      this.#at--
      do {
        this.#at++
        const result = this.#readEntry()
        if (result === undefined) return undefined
        results.push(result)
      } while (answer[this.#at] === COMMA)
    }
    if (answer[this.#at] !== CLOSING_BRACKET) return undefined
    this.#at++
    return results
  }

  #readEntry(): PutRecordsEntryResult | undefined {
    const answer = this.#answer
    let shardId: string | undefined
    let errorCode: string | undefined
    let errorMessage: string | undefined
    let sequenceStart = -1
    let sequenceEnd = -1
    let at = this.#at
    if (answer[at] !== OPENING_BRACE) return undefined
    do {
      at++
      const member = memberAt(answer, at)
      if (member === undefined) return undefined
      const start = at + member.length
      const end = endOfString(answer, start)
      if (end < 0) return undefined
      at = end + 1
      if (member === SEQUENCE_NUMBER) {
        sequenceStart = start
        sequenceEnd = end
      } else if (member === SHARD_ID) shardId = this.#shardId(start, end)
      else if (member === ERROR_CODE) errorCode = text(answer, start, end)
      else errorMessage = text(answer, start, end)
    } while (answer[at] === COMMA)
    if (answer[at] !== CLOSING_BRACE) return undefined
    this.#at = at + 1
    if (
      shardId !== undefined &&
      sequenceStart >= 0 &&
      errorCode === undefined &&
      errorMessage === undefined
    ) {
      return new StoredEntry(shardId, answer, sequenceStart, sequenceEnd)
    }
    const sequenceNumber = sequenceStart < 0 ? undefined : text(answer, sequenceStart, sequenceEnd)
    return { shardId, sequenceNumber, errorCode, errorMessage }
  }

  #shardId(start: number, end: number): string {
    const answer = this.#answer
    const digits = start + SHARD_ID_PREFIX.length
    if (end - digits !== SHARD_ID_DIGITS || !startsWith(answer, start, SHARD_ID_PREFIX)) {
      return text(answer, start, end)
    }
    let number = 0
    for (let at = digits; at < end; at++) {
      const digit = answer[at]! - ZERO
      if (digit < 0 || digit > 9) return text(answer, start, end)
      number = number * 10 + digit
    }
    const known = this.#shardIds.get(number)
    if (known !== undefined) return known
    if (this.#shardIds.size >= MAX_SHARD_IDS) this.#shardIds.clear()
    const shardId = text(answer, start, end)
    this.#shardIds.set(number, shardId)
    return shardId
  }
}

/** In the order of their frequency. */
function memberAt(answer: Buffer, at: number): Uint8Array | undefined {
  if (startsWith(answer, at, SEQUENCE_NUMBER)) return SEQUENCE_NUMBER
  if (startsWith(answer, at, SHARD_ID)) return SHARD_ID
  if (startsWith(answer, at, ERROR_CODE)) return ERROR_CODE
  if (startsWith(answer, at, ERROR_MESSAGE)) return ERROR_MESSAGE
  return undefined
}

function startsWith(answer: Buffer, start: number, bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if (answer[start + index] !== bytes[index]) return false
  }
  return true
}

/** Where the closing quote is; -1 where the string is one for a JSON parser, or has no end. */
function endOfString(answer: Buffer, start: number): number {
  let at = start
  while (at < answer.length && PLAIN[answer[at]!] === 1) at++
  return answer[at] === QUOTE ? at : -1
}

/** -1 where there is no whole number as JSON has it. */
function endOfNumber(answer: Buffer, start: number): number {
  let at = start
  while (at < answer.length && answer[at]! >= ZERO && answer[at]! <= NINE) at++
  return at === start || (answer[start] === ZERO && at > start + 1) ? -1 : at
}

function text(answer: Buffer, start: number, end: number): string {
  return answer.toString('latin1', start, end)
}

function readAnyJson(answer: Buffer): readonly PutRecordsEntryResult[] {
  return entryResults(answer.length === 0 ? undefined : JSON.parse(answer.toString()))
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
