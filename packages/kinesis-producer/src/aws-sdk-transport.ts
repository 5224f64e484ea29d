import {
  DescribeStreamSummaryCommand,
  KinesisClient,
  type KinesisClientConfig,
  ListShardsCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { classifyAwsError } from './aws-error.js'
import type {
  OpenShard,
  OutgoingEntry,
  PutRecordsEntryResult,
  PutRecordsTransport,
  StreamDescription,
  StreamIdentity,
} from './put-records-transport.js'
import { singleAttempt, unwrapSingleAttempt } from './single-attempt.js'

export interface AwsSdkTransportOptions {
  /** The caller's client: used as it is, and not destroyed. */
  client?: KinesisClient
  region?: string
  endpoint?: string
  credentials?: NonNullable<KinesisClientConfig['credentials']>
  /** Requests that are under way at once, and so connections. */
  maxConnections: number
}

/** Sends through the AWS SDK: region, endpoint, credentials and signing are the SDK's, attempts and timeouts are not. */
export class AwsSdkTransport implements PutRecordsTransport {
  readonly #client: KinesisClient
  readonly #owned: boolean

  constructor(options: AwsSdkTransportOptions) {
    this.#owned = options.client === undefined
    this.#client = options.client ?? pooledClient(options)
  }

  async putRecords(
    stream: StreamIdentity,
    entries: readonly OutgoingEntry[],
    signal: AbortSignal,
  ): Promise<readonly PutRecordsEntryResult[]> {
    const command = new PutRecordsCommand({
      ...streamInput(stream),
      Records: entries.map((entry) => ({
        Data: entry.data,
        PartitionKey: entry.partitionKey,
        ExplicitHashKey: entry.explicitHashKey,
      })),
    })
    // A client of the caller's retries by itself; one that we made does not.
    if (!this.#owned) singleAttempt(command)
    try {
      const output = await this.#client.send(command, { abortSignal: signal })
      return (output.Records ?? []).map((result) => ({
        shardId: result.ShardId,
        sequenceNumber: result.SequenceNumber,
        errorCode: result.ErrorCode,
        errorMessage: result.ErrorMessage,
      }))
    } catch (error) {
      throw classifyAwsError(unwrapSingleAttempt(error), stream)
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
      throw classifyAwsError(error, stream)
    }
    return shards
  }

  async describeStream(stream: StreamIdentity, signal: AbortSignal): Promise<StreamDescription> {
    try {
      const { StreamDescriptionSummary: summary } = await this.#client.send(
        new DescribeStreamSummaryCommand(streamInput(stream)),
        { abortSignal: signal },
      )
      const { MaxRecordSizeInKiB } = summary ?? {}
      return {
        maxRecordBytes: MaxRecordSizeInKiB === undefined ? undefined : MaxRecordSizeInKiB * 1024,
        recordDistribution: 'keyed',
      }
    } catch (error) {
      throw classifyAwsError(error, stream)
    }
  }

  close(): void {
    if (this.#owned) this.#client.destroy()
  }
}

function pooledClient(options: AwsSdkTransportOptions): KinesisClient {
  const { region, endpoint, credentials, maxConnections } = options
  // One more for ListShards, which must not wait behind the records.
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

function streamInput(stream: StreamIdentity): { StreamName: string } | { StreamARN: string } {
  return 'streamName' in stream ? { StreamName: stream.streamName } : { StreamARN: stream.streamArn }
}
