import { hash } from 'node:crypto'
import type { KeyBucket, ShardMap } from './shard-map.js'

const HASH_KEY_DIGITS = 32
/** Bits of the hash key that `prefix` holds. */
export const PREFIX_BITS = 12
const PREFIX_DIGITS = PREFIX_BITS / 4

/**
 * A place in the hash key space: 32 hexadecimal digits, whose order as text is their order as numbers. BigInts would cost several
 * allocations for every record.
 */
export class HashedKey {
  /** The topmost bits, from which a shard map starts its search. */
  readonly prefix: number
  /** Where `map` puts it. */
  bucket: KeyBucket | undefined = undefined
  map: ShardMap | undefined = undefined

  constructor(readonly digits: string) {
    this.prefix = Number.parseInt(digits.slice(0, PREFIX_DIGITS), 16)
  }
}

/** Where the service puts records of a partition key: at its MD5 (Kinesis API reference, PutRecord). */
export function hashPartitionKey(partitionKey: string): HashedKey {
  return new HashedKey(hash('md5', partitionKey, 'hex'))
}

/** Of a decimal from 0 to 2^128-1, as the API carries them. */
export function parseHashedKey(decimal: string): HashedKey {
  return new HashedKey(toDigits(BigInt(decimal)))
}

export function toDigits(hashKey: bigint): string {
  return hashKey.toString(16).padStart(HASH_KEY_DIGITS, '0')
}
