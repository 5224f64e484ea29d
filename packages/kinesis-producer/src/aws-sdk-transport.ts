import {
  DescribeStreamSummaryCommand,
  KinesisClient,
  type KinesisClientConfig,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { classifyAwsError } from './aws-error.js'
import { BodyPool } from './body-pool.js'
import { entryResults, PutRecordsAnswerReader } from './put-records-answer.js'
import { maxPutRecordsBodyBytes, writePutRecordsBody } from './put-records-body.js'
import type {
  OpenShard,
  OutgoingEntry,
  PutRecordsEntryResult,
  PutRecordsTransport,
  StreamDescription,
  StreamIdentity,
} from './put-records-transport.js'
import { SdkExchange, type StreamInput } from './sdk-exchange.js'

export interface AwsSdkTransportOptions {
  /** The caller's client: used as it is, and not destroyed. */
  client?: KinesisClient
  region?: string
  endpoint?: string
  credentials?: NonNullable<KinesisClientConfig['credentials']>
  /** Requests that are under way at once, and so connections. */
  maxConnections: number
}

/**
 * Sends through the AWS SDK: region, endpoint, credentials and signing are the SDK's; bodies, answers, attempts and timeouts are not.
 */
export class AwsSdkTransport implements PutRecordsTransport {
  readonly #client: KinesisClient
  readonly #owned: boolean
  readonly #exchange: SdkExchange
  readonly #bodies = new BodyPool()
  readonly #answers = new PutRecordsAnswerReader()

  constructor(options: AwsSdkTransportOptions) {
    this.#owned = options.client === undefined
    this.#client = options.client ?? pooledClient(options)
    this.#exchange = new SdkExchange(this.#client, this.#owned)
  }

  async putRecords(
    stream: StreamIdentity,
    entries: readonly OutgoingEntry[],
    signal: AbortSignal,
  ): Promise<readonly PutRecordsEntryResult[]> {
    const buffer = this.#bodies.take(maxPutRecordsBodyBytes(stream, entries))
    const bytes = buffer.subarray(0, writePutRecordsBody(buffer, stream, entries))
    // Middleware of the caller's may send a body twice, or keep it: only a client of ours is known not to.
    const hasLeft = () => {
      if (this.#owned) this.#bodies.giveBack(buffer)
    }
    try {
      const exchanged = await this.#exchange.send(streamInput(stream), { bytes, hasLeft }, signal)
      return 'body' in exchanged ? this.#answers.read(exchanged.body) : entryResults(exchanged.output)
    } catch (error) {
      throw classifyAwsError(error, stream, 'kinesis:PutRecords')
    }
  }

  async listShards(stream: StreamIdentity, signal: AbortSignal): Promise<readonly OpenShard[]> {
    const shards: OpenShard[] = []
    let nextToken: string | undefined
    try {
      do {
        const output = await this.#client.send(
          new ListShardsCommand(
            nextToken === undefined
              ? { ...streamInput(stream), ShardFilter: { Type: 'AT_LATEST' } }
              : // The token stands for the name and the filter; the service refuses them beside it.
                { ...('streamArn' in stream ? streamInput(stream) : {}), NextToken: nextToken },
          ),
          { abortSignal: signal },
        )
        for (const shard of output.Shards ?? []) {
          const { StartingHashKey, EndingHashKey } = shard.HashKeyRange ?? {}
          const closed = shard.SequenceNumberRange?.EndingSequenceNumber !== undefined
          if (closed || shard.ShardId === undefined) continue
          if (StartingHashKey === undefined || EndingHashKey === undefined) continue
          shards.push({
            shardId: shard.ShardId,
            startingHashKey: StartingHashKey,
            endingHashKey: EndingHashKey,
          })
        }
        nextToken = output.NextToken
      } while (nextToken !== undefined)
    } catch (error) {
      throw classifyAwsError(error, stream, 'kinesis:ListShards')
    }
    return shards
  }

  async describeStream(stream: StreamIdentity, signal: AbortSignal): Promise<StreamDescription> {
    try {
      const command = new DescribeStreamSummaryCommand(streamInput(stream))
      const output = await this.#client.send(command, { abortSignal: signal })
      const { MaxRecordSizeInKiB, RecordDistributionStrategy, StreamModeDetails } =
        output.StreamDescriptionSummary ?? {}
      return {
        maxRecordBytes: MaxRecordSizeInKiB === undefined ? undefined : MaxRecordSizeInKiB * 1024,
        recordDistribution: distribution(RecordDistributionStrategy, StreamModeDetails?.StreamMode),
      }
    } catch (error) {
      throw classifyAwsError(error, stream, 'kinesis:DescribeStreamSummary')
    }
  }

  close(): void {
    if (this.#owned) this.#client.destroy()
  }
}

function pooledClient(options: AwsSdkTransportOptions): KinesisClient {
  const { region, endpoint, credentials, maxConnections } = options
  // One more for what is asked of the stream, which must not wait behind the records.
  const agent = { keepAlive: true, maxSockets: maxConnections + 1 }
  return new KinesisClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 1,
    // The SDK's own choice for Kinesis is HTTP/2 with a new session, and TLS handshake, for every request.
    requestHandler: new NodeHttpHandler({ httpAgent: agent, httpsAgent: agent }),
  })
}

/**
 * The service tells the strategy of on-demand streams alone, and refuses AUTO for the others (API reference, StreamDescriptionSummary and
 * UpdateStreamRecordDistributionStrategy). Whatever is not told stays unknown: who aggregates on an AUTO stream loses records.
 */
function distribution(
  strategy: string | undefined,
  mode: string | undefined,
): StreamDescription['recordDistribution'] {
  if (strategy === 'AUTO') return 'auto'
  if (strategy === 'USER_PARTITION_KEY') return 'keyed'
  return strategy === undefined && mode === 'PROVISIONED' ? 'keyed' : undefined
}

function streamInput(stream: StreamIdentity): StreamInput {
  return 'streamName' in stream ? { StreamName: stream.streamName } : { StreamARN: stream.streamArn }
}
