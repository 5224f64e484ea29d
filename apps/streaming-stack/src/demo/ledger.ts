import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** One event as the generator knows it: what was put, when, and what the stream said. */
export interface LedgerEntry {
  /** Order of `put`, from 0. */
  index: number
  /** `good`, or what is wrong with it. */
  kind: string
  /** Whether a consumer can read it as JSON at all. */
  decodable: boolean
  eventId: string
  userId: string
  partitionKey: string
  putAtMs: number
  delivered: boolean
  shardId: string
  sequenceNumber: string
}

/** The ledger that the generator wrote: one tab-separated line per settled event, in the order of settlement. */
export async function* readLedger(file: string): AsyncGenerator<LedgerEntry> {
  // A generator that could not begin has written none.
  if (!existsSync(file)) return
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    const [index, kind, decodable, eventId, userId, partitionKey, putAtMs, outcome, shardId, sequenceNumber] =
      line.split('\t').map(unescapeField)
    // The last line of a generator that was killed may be torn: it names no outcome, so nothing was promised for it.
    if (outcome === undefined) continue
    yield {
      index: Number(index),
      kind: kind!,
      decodable: decodable === '1',
      eventId: eventId!,
      userId: userId!,
      partitionKey: partitionKey!,
      putAtMs: Number(putAtMs),
      delivered: outcome === 'ok',
      shardId: shardId ?? '',
      sequenceNumber: sequenceNumber ?? '',
    }
  }
}

function unescapeField(field: string): string {
  return field.replace(/\\([tn\\])/g, (_, letter: string) =>
    letter === 't' ? '\t' : letter === 'n' ? '\n' : '\\',
  )
}
