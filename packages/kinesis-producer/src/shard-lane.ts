import { EntryList } from './entry-list.js'
import type { ShardPacer } from './shard-pacer.js'

/** The entries that wait for one shard. The lane of records whose shard is unknown has neither shard nor pacer. */
export class ShardLane {
  readonly entries = new EntryList()
  /** `ready`: in the scheduler's round; `paced`: waiting for tokens; `idle`: empty. */
  state: 'idle' | 'ready' | 'paced' = 'idle'

  constructor(
    readonly shardId: string | undefined,
    readonly pacer: ShardPacer | undefined,
  ) {}
}
