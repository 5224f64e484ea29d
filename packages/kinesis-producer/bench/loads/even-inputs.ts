import { findHashKeyRange, partitionKeyHash, uniformHashKeyRanges } from '@org/kinesis-core'
import { distinctInputs, type Input } from '../sides/events.ts'

/** The inputs so arranged that each shard in turn gets one, so that all shards come to their limits together. */
export function evenInputs(shards: number): (index: number) => Input {
  const ranges = uniformHashKeyRanges(shards)
  const indexed = ranges.map((range, shard) => ({ ...range, shard }))
  const ofShard = ranges.map((): Input[] => [])
  for (const input of distinctInputs()) {
    const { shard } = findHashKeyRange(indexed, partitionKeyHash(input.partitionKey))!
    ofShard[shard]!.push(input)
  }
  return (index) => {
    const inputs = ofShard[index % shards]!
    return inputs[Math.floor(index / shards) % inputs.length]!
  }
}
