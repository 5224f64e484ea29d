import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
  type GetShardIteratorInput,
  type KinesisClient,
  type KinesisServiceException,
  ListShardsCommand,
  PutRecordCommand,
  type Shard,
} from '@aws-sdk/client-kinesis'

/** Half of all hash keys: where the second of two equal shards begins. */
export const MIDDLE_HASH_KEY = String(1n << 127n)

export const FIRST_SHARD = 'shardId-000000000000'

/** An endpoint with the streams that the scenarios made in it. Everything goes over the wire with the SDK's client. */
export class ServiceUnderTest {
  readonly #streams = new Set<string>()
  #next = 1
  #shared: Promise<string> | undefined

  constructor(
    readonly client: KinesisClient,
    /** Begins the names of all streams, so that others in the same account are left alone. */
    readonly prefix: string,
    /** How often to look whether a stream is ready. */
    private readonly pollMs: number,
    /** Lets time go by, for the service. Undefined where that would take as long as it says. */
    readonly advance: ((ms: number) => Promise<void>) | undefined,
  ) {}

  unusedName(): string {
    return `${this.prefix}${String(this.#next++).padStart(3, '0')}`
  }

  /** A stream of this scenario's own, ACTIVE. */
  async aStream(shards = 1, StreamName = this.unusedName()): Promise<string> {
    const create = () => this.client.send(new CreateStreamCommand({ StreamName, ShardCount: shards }))
    // Five streams may be in the making at a time, and five calls are taken in a second (API reference, CreateStream).
    while ((await outcome(create())).startsWith('LimitExceeded')) await sleep(this.pollMs)
    this.#streams.add(StreamName)
    await this.active(StreamName)
    return StreamName
  }

  /** A stream of one shard that scenarios share, for questions that change nothing or do not mind what is there: making one is slow. */
  sharedStream(): Promise<string> {
    this.#shared ??= this.aStream()
    return this.#shared
  }

  async active(StreamName: string): Promise<void> {
    for (const endMs = Date.now() + 300_000; ; await sleep(this.pollMs)) {
      const { StreamDescriptionSummary } = await this.client.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      )
      if (StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return
      if (Date.now() > endMs) throw new Error(`${StreamName} does not become ACTIVE.`)
    }
  }

  /** Waits for it, but not for ever: the answer tells what did not come. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    for (let polls = 0; polls < 100 && !(await holds()); polls++) await sleep(this.pollMs)
  }

  async gone(StreamName: string): Promise<void> {
    for (;;) {
      const summary = await outcome(this.client.send(new DescribeStreamSummaryCommand({ StreamName })))
      if (summary !== 'ok') return
      await sleep(this.pollMs)
    }
  }

  async arnOf(StreamName: string): Promise<string> {
    const { StreamDescriptionSummary } = await this.client.send(
      new DescribeStreamSummaryCommand({ StreamName }),
    )
    return StreamDescriptionSummary!.StreamARN!
  }

  put(StreamName: string, PartitionKey: string, data: string | Uint8Array, ExplicitHashKey?: string) {
    return this.client.send(
      new PutRecordCommand({ StreamName, PartitionKey, Data: Buffer.from(data), ExplicitHashKey }),
    )
  }

  /** An iterator of the first shard, unless told otherwise. */
  async iterator(
    StreamName: string,
    where: Partial<GetShardIteratorInput> = { ShardIteratorType: 'TRIM_HORIZON' },
  ): Promise<string> {
    const { ShardIterator } = await this.client.send(
      new GetShardIteratorCommand({
        StreamName,
        ShardId: FIRST_SHARD,
        ShardIteratorType: 'TRIM_HORIZON',
        ...where,
      }),
    )
    return ShardIterator!
  }

  async read(
    StreamName: string,
    where?: Partial<GetShardIteratorInput>,
    Limit?: number,
  ): Promise<GetRecordsOutput> {
    return this.client.send(
      new GetRecordsCommand({ ShardIterator: await this.iterator(StreamName, where), Limit }),
    )
  }

  /** The texts that are read from there on, through `pages` calls or until there are `count`. */
  async texts(StreamName: string, where: Partial<GetShardIteratorInput>, count: number): Promise<string[]> {
    const texts: string[] = []
    let ShardIterator: string | undefined = await this.iterator(StreamName, where)
    // A page of the service may be empty with records still to come.
    for (let page = 0; page < 10 && ShardIterator !== undefined && texts.length < count; page++) {
      const got: GetRecordsOutput = await this.client.send(new GetRecordsCommand({ ShardIterator }))
      texts.push(...textsOf(got))
      ShardIterator = got.NextShardIterator
      if (texts.length < count) await sleep(this.pollMs)
    }
    return texts
  }

  async shards(StreamName: string): Promise<Shard[]> {
    const { Shards = [] } = await this.client.send(new ListShardsCommand({ StreamName }))
    return Shards
  }

  async deleteStreams(): Promise<void> {
    for (const StreamName of this.#streams) {
      await outcome(this.client.send(new DeleteStreamCommand({ StreamName, EnforceConsumerDeletion: true })))
    }
  }

  keep(StreamName: string): void {
    this.#streams.add(StreamName)
  }

  forget(StreamName: string): void {
    this.#streams.delete(StreamName)
  }
}

/** `ok`, or the type and the HTTP status of the error: messages are not documented. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    const { name, $metadata } = error as KinesisServiceException
    return `${name} ${$metadata?.httpStatusCode ?? ''}`.trimEnd()
  }
}

export function textsOf({ Records = [] }: GetRecordsOutput): string[] {
  return Records.map(({ Data }) => Buffer.from(Data!).toString())
}

/** What of shards is the same in every run. */
export function shapeOf(shards: readonly Shard[]) {
  return shards.map((shard) => ({
    id: shard.ShardId,
    from: shard.HashKeyRange?.StartingHashKey,
    to: shard.HashKeyRange?.EndingHashKey,
    parents: [shard.ParentShardId, shard.AdjacentParentShardId].filter((id) => id !== undefined),
    closed: shard.SequenceNumberRange?.EndingSequenceNumber !== undefined,
  }))
}
