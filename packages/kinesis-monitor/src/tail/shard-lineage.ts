export interface LineageShard {
  shardId: string
  parentShardIds: readonly string[]
}

/**
 * Which shards may be read: a shard only when its parents are read to their end, because a key moves from parent to child and its
 * records must keep their order. Pure state, no I/O.
 *
 *     waiting → reading → finished
 */
export class ShardLineage {
  readonly #shards = new Map<
    string,
    { parents: readonly string[]; state: 'waiting' | 'reading' | 'finished' }
  >()

  /** Takes note of shards; those that are known already stay as they are. */
  learn(shards: readonly LineageShard[]): void {
    for (const { shardId, parentShardIds } of shards) {
      if (this.#shards.has(shardId)) continue
      this.#shards.set(shardId, { parents: parentShardIds, state: 'waiting' })
    }
  }

  /** The shard has no more to give, or is none of our business. */
  finish(shardId: string): void {
    const shard = this.#shards.get(shardId)
    if (shard !== undefined) shard.state = 'finished'
  }

  /** The shards that may be read from now on; each is named once. */
  takeReady(): string[] {
    const ready: string[] = []
    for (const [shardId, shard] of this.#shards) {
      if (shard.state !== 'waiting' || shard.parents.some((parent) => this.#isUnread(parent))) continue
      shard.state = 'reading'
      ready.push(shardId)
    }
    return ready
  }

  hasChild(shardId: string): boolean {
    return [...this.#shards.values()].some((shard) => shard.parents.includes(shardId))
  }

  /** A parent that nobody knows has expired: the stream has let go of its last record. */
  #isUnread(shardId: string): boolean {
    const shard = this.#shards.get(shardId)
    return shard !== undefined && shard.state !== 'finished'
  }
}
