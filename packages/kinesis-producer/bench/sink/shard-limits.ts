import { kinesisQuotas } from '@org/kinesis-core'

const { shardWriteRecordsPerSecond, shardWriteBytesPerSecond } = kinesisQuotas

/** 1,000 records and 1 MiB a second for each shard; one that rested takes a second's worth at once. */
export class ShardLimits {
  readonly #records: Float64Array
  readonly #bytes: Float64Array
  readonly #refilledAtMs: Float64Array

  constructor(shards: number, nowMs: number) {
    this.#records = new Float64Array(shards).fill(shardWriteRecordsPerSecond)
    this.#bytes = new Float64Array(shards).fill(shardWriteBytesPerSecond)
    this.#refilledAtMs = new Float64Array(shards).fill(nowMs)
  }

  /** False where the shard is at its limit. */
  admit(shard: number, sizeBytes: number, nowMs: number): boolean {
    const seconds = (nowMs - this.#refilledAtMs[shard]!) / 1_000
    this.#refilledAtMs[shard] = nowMs
    const records = Math.min(
      shardWriteRecordsPerSecond,
      this.#records[shard]! + seconds * shardWriteRecordsPerSecond,
    )
    const bytes = Math.min(shardWriteBytesPerSecond, this.#bytes[shard]! + seconds * shardWriteBytesPerSecond)
    const admitted = records >= 1 && bytes >= sizeBytes
    this.#records[shard] = admitted ? records - 1 : records
    this.#bytes[shard] = admitted ? bytes - sizeBytes : bytes
    return admitted
  }
}
