import { createHash } from 'node:crypto'

/** Hash keys are unsigned 128-bit integers. */
export const MAX_HASH_KEY = (1n << 128n) - 1n

/** Both ends are part of the range, as in the Kinesis API. */
export interface HashKeyRange {
  startingHashKey: bigint
  endingHashKey: bigint
}

/** Where a partition key falls: its MD5, read as a big-endian unsigned integer (Kinesis API reference, PutRecord). */
export function partitionKeyHash(partitionKey: string): bigint {
  return BigInt(`0x${createHash('md5').update(partitionKey, 'utf8').digest('hex')}`)
}

/** Reads a decimal hash key as the API carries it; undefined where it is no integer from 0 to 2^128-1. */
export function parseHashKey(text: string): bigint | undefined {
  if (!/^(0|[1-9]\d{0,38})$/.test(text)) return undefined
  const value = BigInt(text)
  return value <= MAX_HASH_KEY ? value : undefined
}

/** Cuts the whole key space into `count` ranges of equal size, as CreateStream and uniform scaling do. */
export function uniformHashKeyRanges(count: number): HashKeyRange[] {
  const size = (MAX_HASH_KEY + 1n) / BigInt(count)
  return Array.from({ length: count }, (_, index) => ({
    startingHashKey: size * BigInt(index),
    endingHashKey: index === count - 1 ? MAX_HASH_KEY : size * BigInt(index + 1) - 1n,
  }))
}

/** The range that holds `hashKey`, by binary search: `ranges` are sorted, do not overlap, and may have gaps. */
export function findHashKeyRange<R extends HashKeyRange>(
  ranges: readonly R[],
  hashKey: bigint,
): R | undefined {
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const range = ranges[middle]!
    if (hashKey < range.startingHashKey) high = middle - 1
    else if (hashKey > range.endingHashKey) low = middle + 1
    else return range
  }
  return undefined
}
