import { entriesOf } from './request-body.ts'
import { ShardLimits } from './shard-limits.ts'
import { ShardTable, sequenceNumber } from './shard-table.ts'

/** What the sink is for a while. */
export interface SinkSettings {
  shards: number
  /** From the end of a request until its answer. */
  serviceMs: number
  /** 1,000 records and 1 MiB a second for each shard; else it takes everything. */
  limits: boolean
}

export interface SinkCounts {
  requests: number
  /** Of PutRecords, as in the requests: a container counts once. */
  entries: number
  bytes: number
  /** Entries that a shard's limit refused, and requests with at least one of them. */
  throttledEntries: number
  throttledRequests: number
}

/** The stream that accepts everything and keeps nothing. */
export class SinkStream {
  readonly counts: SinkCounts = {
    requests: 0,
    entries: 0,
    bytes: 0,
    throttledEntries: 0,
    throttledRequests: 0,
  }
  readonly #table: ShardTable
  readonly #limits: ShardLimits | undefined
  #sequence = 0

  constructor({ shards, limits }: SinkSettings) {
    this.#table = new ShardTable(shards)
    this.#limits = limits ? new ShardLimits(shards, performance.now()) : undefined
  }

  answer(operation: string, body: Buffer): string {
    switch (operation) {
      case 'PutRecords':
        return this.#putRecords(body)
      case 'ListShards': {
        const { NextToken = '0' } = JSON.parse(body.toString()) as { NextToken?: string }
        return JSON.stringify(this.#table.page(Number(NextToken)))
      }
      case 'DescribeStreamSummary':
        return JSON.stringify({ StreamDescriptionSummary: summary(this.#table.count) })
      default:
        throw new Error(`The sink knows no ${operation}.`)
    }
  }

  #putRecords(body: Buffer): string {
    const { counts } = this
    const nowMs = performance.now()
    let results = ''
    let throttled = 0
    for (const { partitionKey, explicitHashKey, sizeBytes } of entriesOf(body)) {
      const shard = this.#table.indexOf(partitionKey, explicitHashKey)
      if (results !== '') results += ','
      if (this.#limits?.admit(shard, sizeBytes, nowMs) === false) {
        throttled++
        results += `{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard ${this.#table.shardIds[shard]}."}`
        continue
      }
      counts.entries++
      counts.bytes += sizeBytes
      results += `{"SequenceNumber":"${sequenceNumber(shard, this.#sequence++)}","ShardId":"${this.#table.shardIds[shard]}"}`
    }
    counts.requests++
    counts.throttledEntries += throttled
    if (throttled > 0) counts.throttledRequests++
    return `{"FailedRecordCount":${throttled},"Records":[${results}]}`
  }
}

function summary(OpenShardCount: number) {
  return {
    StreamName: 'bench',
    StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/bench',
    StreamStatus: 'ACTIVE',
    StreamModeDetails: { StreamMode: 'PROVISIONED' },
    RetentionPeriodHours: 24,
    StreamCreationTimestamp: 1_700_000_000,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: 'NONE',
    OpenShardCount,
    ConsumerCount: 0,
    MaxRecordSizeInKiB: 1024,
  }
}
