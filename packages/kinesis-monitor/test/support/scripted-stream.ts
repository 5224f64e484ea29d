import type {
  MonitorSource,
  ShardDescription,
  ShardPosition,
  ShardRead,
  ShardRecord,
} from '../../src/monitor-source.js'

type Answer = Partial<ShardRead> | Error

export function aShard(shardId: string, more: Partial<ShardDescription> = {}): ShardDescription {
  return { shardId, parentShardIds: [], startingHashKey: 0n, endingHashKey: 1n, state: 'open', ...more }
}

export function aRecord(sequenceNumber: string, data = 'data'): ShardRecord {
  return { sequenceNumber, partitionKey: 'key', data: Buffer.from(data), arrivalMs: 0 }
}

/**
 * A stream whose shards answer read by read as the test says, and nothing new once that is used up. Records what was asked for,
 * and when.
 */
export class ScriptedStream implements MonitorSource {
  shards: ShardDescription[] = []
  readonly script = new Map<string, Answer[]>()
  readonly opened: { shardId: string; position: ShardPosition }[] = []
  readonly reads: { shardId: string; atMs: number }[] = []
  readonly lists: number[] = []
  /** Reads wait here while it is set. */
  gate: Promise<void> | undefined
  inFlight = 0
  maxInFlight = 0

  constructor(readonly now: () => number) {}

  answers(shardId: string, ...answers: Answer[]): this {
    if (!this.shards.some((shard) => shard.shardId === shardId)) this.shards.push(aShard(shardId))
    this.script.set(shardId, answers)
    return this
  }

  async listShards(): Promise<ShardDescription[]> {
    this.lists.push(this.now())
    return this.shards
  }

  async openShard(_stream: string, shardId: string, position: ShardPosition): Promise<string> {
    this.opened.push({ shardId, position })
    return shardId
  }

  async readShard(_stream: string, iterator: string): Promise<ShardRead> {
    const shardId = iterator
    this.reads.push({ shardId, atMs: this.now() })
    this.inFlight += 1
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight)
    await this.gate
    this.inFlight -= 1
    const answer = this.script.get(shardId)?.shift() ?? {}
    if (answer instanceof Error) throw answer
    return { records: [], nextIterator: shardId, millisBehindLatest: 0, childShards: [], ...answer }
  }

  describeStream = () => Promise.reject(new Error('not in the script'))
  readMetrics = () => Promise.reject(new Error('not in the script'))
  publishMetrics = () => Promise.reject(new Error('not in the script'))
  close(): void {}
}
