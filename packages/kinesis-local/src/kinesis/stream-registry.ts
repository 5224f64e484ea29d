import type { Clock } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { constraint, matched, type Request } from './request.js'
import type { Transition } from './resource-status.js'
import type { Shard } from './shard.js'
import { Stream, type StreamSettings } from './stream.js'
import { applyState, emptyStream, type StreamState } from './stream-state.js'
import type { WriteBurst } from './write-burst.js'

/** Open shards of one account in one region, unless it asked for more (developer guide, "Quotas and limits", us-east-1). */
export const SHARD_LIMIT = 20_000
export const ON_DEMAND_STREAM_LIMIT = 50

/** The streams of one account in one region, found by name or ARN. */
export class StreamRegistry {
  readonly #streams = new Map<string, Stream>()
  #made = 0

  constructor(
    readonly region: string,
    readonly accountId: string,
    private readonly burst: Required<WriteBurst> | undefined,
    private readonly clock: Clock,
    private readonly transitionMs: number,
    private readonly onDeleted: (stream: Stream) => void,
  ) {}

  get all(): IterableIterator<Stream> {
    for (const stream of this.#streams.values()) this.#settle(stream)
    return this.#streams.values()
  }

  get openShardCount(): number {
    let count = 0
    for (const stream of this.all) count += stream.openShards.length
    return count
  }

  create(settings: Omit<StreamSettings, 'arn' | 'burst' | 'ordinal'>): Stream {
    const { name, shardCount } = settings
    if (this.#find(name) !== undefined) {
      throw new ServiceError(
        'ResourceInUseException',
        `Stream ${name} under account ${this.accountId} already exists.`,
      )
    }
    this.checkShardLimit(shardCount)
    const stream = new Stream({ ...settings, arn: this.#arn(name), ordinal: this.#made++, burst: this.burst })
    this.#streams.set(name, stream)
    return stream
  }

  /** Brings a kept stream back, in its place where it is there already. */
  restore(state: StreamState): Stream {
    const { name, createdAtMs, ordinal } = state.settings
    let stream = this.#streams.get(name)
    if (stream?.settings.createdAtMs !== createdAtMs || stream.settings.ordinal !== ordinal) {
      stream = emptyStream(state, this.burst)
      this.#streams.set(name, stream)
    }
    applyState(stream, state)
    return stream
  }

  /** Forgets a stream that was not kept. */
  drop(stream: Stream): void {
    if (this.#streams.get(stream.settings.name) === stream) this.#streams.delete(stream.settings.name)
    this.onDeleted(stream)
  }

  /** A change of the stream, which has its effect at once, takes its time. */
  begin(stream: Stream, transition: Transition): void {
    stream.status.begin(transition, this.clock.now(), this.transitionMs)
    this.#settle(stream)
  }

  statusOf(stream: Stream): string {
    return stream.status.at(this.clock.now())
  }

  /** Refuses one more on-demand stream where the account has as many as it may. */
  checkOnDemandLimit(): void {
    const count = [...this.all].filter(({ mode }) => mode === 'ON_DEMAND').length
    if (count < ON_DEMAND_STREAM_LIMIT) return
    throw new ServiceError(
      'LimitExceededException',
      `Account ${this.accountId} has ${count} on-demand streams in ${this.region}. Limit: ${ON_DEMAND_STREAM_LIMIT}.`,
    )
  }

  /** How many more shards the account may open. */
  get shardRoom(): number {
    return Math.max(0, SHARD_LIMIT - this.openShardCount)
  }

  /** Refuses `more` open shards where the account has no room for them. */
  checkShardLimit(more: number): void {
    const open = this.openShardCount
    if (open + more <= SHARD_LIMIT) return
    throw new ServiceError(
      'LimitExceededException',
      `This request would exceed the shard limit for the account ${this.accountId} in ${this.region}. Current shard count for the account: ${open}. Limit: ${SHARD_LIMIT}. Number of additional shards that would have resulted from this request: ${more}.`,
    )
  }

  /** The stream that a request is about, whatever its status. */
  of(request: Request): Stream {
    const arn = request.optionalString('StreamARN')
    const name = request.optionalString('StreamName')
    if (arn === undefined && name === undefined) {
      throw new ServiceError('InvalidArgumentException', 'Either StreamName or StreamARN must be provided.')
    }
    const stream = arn === undefined ? this.named(streamName(name!)) : this.withArn(arn)
    if (name === undefined || name === stream.settings.name) return stream
    throw new ServiceError(
      'InvalidArgumentException',
      `StreamName ${name.slice(0, 140)} and StreamARN ${stream.settings.arn} are of different streams.`,
    )
  }

  /** Refuses a stream that was made at another time than `StreamCreationTimestamp` says, which tells those of one name apart. */
  checkCreationTime({ settings }: Stream, request: Request): void {
    const createdAtMs = request.optionalTimestampMs('StreamCreationTimestamp')
    if (createdAtMs === undefined || sameSecond(createdAtMs, settings.createdAtMs)) return
    throw new ServiceError(
      'ResourceNotFoundException',
      `Stream ${settings.name} was not created at ${new Date(createdAtMs).toISOString()}.`,
    )
  }

  /** The stream of a request that changes it: "the resource must be in the ACTIVE state" (API reference, ResourceInUseException). */
  active(request: Request, by: 'StreamARN' | 'either' = 'either'): Stream {
    const stream = by === 'either' ? this.of(request) : this.withArn(request.string(by))
    return this.checkActive(stream)
  }

  checkActive(stream: Stream): Stream {
    if (this.statusOf(stream) !== 'ACTIVE') throw this.#inUse(stream)
    return stream
  }

  /** The stream of a request for its shards or consumers, which one that is CREATING has not yet. */
  created(request: Request): Stream {
    return this.checkCreated(this.of(request))
  }

  checkCreated(stream: Stream): Stream {
    if (this.statusOf(stream) === 'CREATING') throw this.#inUse(stream)
    return stream
  }

  /**
   * The stream of a request that reads or writes: there is none until it is made, and one that is DELETING "might continue to accept"
   * them (API reference, DeleteStream), as it does here.
   */
  withRecords(request: Request): Stream {
    const stream = this.of(request)
    if (this.statusOf(stream) === 'CREATING') throw this.#notFound(stream.settings.name)
    return stream
  }

  withArn(arn: string): Stream {
    const match = /^arn:aws[\w-]*:kinesis:[\w-]*:\d{12}:stream\/([a-zA-Z0-9_.-]{1,128})$/.exec(arn)
    if (match === null) {
      throw constraint(
        'StreamARN',
        `'${arn.slice(0, 100)}'`,
        'Member must satisfy regular expression pattern: arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+',
      )
    }
    const stream = this.#find(match[1]!)
    // A stream of another region or account is not here, whatever its name.
    if (stream?.settings.arn !== arn) throw this.#notFound(match[1]!)
    return stream
  }

  named(name: string): Stream {
    const stream = this.#find(name)
    if (stream === undefined) throw this.#notFound(name)
    return stream
  }

  shardOf(stream: Stream, shardId: string): Shard {
    // API reference, GetShardIterator; what has the form of an id is looked up.
    matched('ShardId', shardId, /^[a-zA-Z0-9_.-]+$/)
    const shard = stream.shard(shardId)
    if (shard === undefined || stream.isExpired(shard, this.clock.now())) {
      throw new ServiceError(
        'ResourceNotFoundException',
        `Could not find shard ${shardId.slice(0, 128)} in stream ${stream.settings.name} under account ${this.accountId}.`,
      )
    }
    return shard
  }

  #find(name: string): Stream | undefined {
    const stream = this.#streams.get(name)
    return stream === undefined || this.#settle(stream) ? undefined : stream
  }

  /** Forgets a stream whose deletion is over. */
  #settle(stream: Stream): boolean {
    if (this.statusOf(stream) !== 'DELETED') return false
    this.#streams.delete(stream.settings.name)
    this.onDeleted(stream)
    return true
  }

  #inUse({ settings, status }: Stream): ServiceError {
    return new ServiceError(
      'ResourceInUseException',
      `Stream ${settings.name} under account ${this.accountId} not ACTIVE, instead in state ${status.at(this.clock.now())}`,
    )
  }

  #arn(name: string): string {
    return `arn:aws:kinesis:${this.region}:${this.accountId}:stream/${name}`
  }

  #notFound(name: string): ServiceError {
    return new ServiceError(
      'ResourceNotFoundException',
      `Stream ${name} under account ${this.accountId} not found.`,
    )
  }
}

/** Clients keep timestamps to the second, or to the millisecond. */
function sameSecond(a: number, b: number): boolean {
  return Math.floor(a / 1000) === Math.floor(b / 1000)
}

export function streamName(name: string): string {
  if (name.length < 1 || name.length > 128) {
    const rule = name.length < 1 ? 'greater than or equal to 1' : 'less than or equal to 128'
    throw constraint('StreamName', `'${name.slice(0, 140)}'`, `Member must have length ${rule}`)
  }
  if (!/^[a-zA-Z0-9_.-]+$/.test(name)) {
    throw constraint(
      'StreamName',
      `'${name}'`,
      'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+',
    )
  }
  return name
}
