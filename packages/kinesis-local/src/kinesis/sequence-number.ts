/**
 * Sequence numbers are 56 digits, like the service's, so that they sort as text. The last 20 digits count the stream's records;
 * the digits before name the shard.
 */
const COUNTER_DIGITS = 20
const LENGTH = 56

/** What a request may bring as one (API reference, PutRecord, SequenceNumberForOrdering). */
export const SEQUENCE_NUMBER = /^(0|([1-9]\d{0,128}))$/

export function sequencePrefix(shardIndex: number): string {
  return `495${String(shardIndex).padStart(10, '0')}`.padEnd(LENGTH - COUNTER_DIGITS, '0')
}

export function sequenceNumber(prefix: string, counter: number): string {
  return prefix + String(counter).padStart(COUNTER_DIGITS, '0')
}

/** The counter in a sequence number, or undefined where it is not one of this shard's. */
export function counterOf(prefix: string, sequence: string): number | undefined {
  if (sequence.length !== LENGTH || !sequence.startsWith(prefix)) return undefined
  const counter = Number(sequence.slice(-COUNTER_DIGITS))
  return Number.isSafeInteger(counter) ? counter : undefined
}
