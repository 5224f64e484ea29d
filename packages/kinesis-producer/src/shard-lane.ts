import { RecordList } from './record-list.js'
import type { ShardPacer } from './shard-pacer.js'

/** The records that wait for one shard. The lane of records whose shard is unknown has neither shard nor pacer. */
export class ShardLane {
  readonly records = new RecordList()
  /** `ready`: in the scheduler's round; `paced`: waiting for tokens; `idle`: empty. */
  state: 'idle' | 'ready' | 'paced' = 'idle'

  constructor(
    readonly shardId: string | undefined,
    readonly pacer: ShardPacer | undefined,
  ) {}
}
