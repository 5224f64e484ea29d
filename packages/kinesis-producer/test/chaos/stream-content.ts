import { decodeAggregate, type HashKeyRange } from '@org/kinesis-core'

/** A record that a consumer sees, alone or as a member of an aggregate. */
export interface StoredRecord {
  /** The Kinesis record that holds it. */
  holder: Holder
  /** Its place in an aggregate. */
  subSequenceNumber: number | undefined
  partitionKey: string
  explicitHashKey: string | undefined
  data: Uint8Array
}

/** A Kinesis record. */
interface Holder {
  shardId: string
  sequenceNumber: string
  partitionKey: string
  isAggregate: boolean
  /** Of its data. */
  bytes: number
}

export interface StreamContent {
  shards: ReadonlyMap<string, HashKeyRange>
  /** Shard by shard, parents before children, each in its order: as a consumer reads a key. */
  records: readonly StoredRecord[]
}

export interface StreamReader {
  call(operation: string, input: Record<string, unknown>): unknown
  /** Lets time go by where a shard has no reads left. */
  wait(ms: number): Promise<void>
}

interface ListedShard {
  ShardId: string
  HashKeyRange: { StartingHashKey: string; EndingHashKey: string }
}

interface RecordPage {
  Records: { PartitionKey: string; SequenceNumber: string; Data: Uint8Array }[]
  NextShardIterator?: string
  MillisBehindLatest: number
}

/** Everything that the stream holds, read in process past every fault, aggregates unpacked. */
export async function readStream(StreamName: string, reader: StreamReader): Promise<StreamContent> {
  const { Shards } = reader.call('ListShards', { StreamName }) as { Shards: ListedShard[] }
  const shards = new Map<string, HashKeyRange>()
  const records: StoredRecord[] = []
  // Children are made after their parents, and numbered so.
  for (const { ShardId, HashKeyRange } of Shards.toSorted((a, b) => (a.ShardId < b.ShardId ? -1 : 1))) {
    shards.set(ShardId, {
      startingHashKey: BigInt(HashKeyRange.StartingHashKey),
      endingHashKey: BigInt(HashKeyRange.EndingHashKey),
    })
    const position = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    let { ShardIterator: next } = reader.call('GetShardIterator', position) as {
      ShardIterator: string | undefined
    }
    let behindMs = 1
    while (next !== undefined && behindMs > 0) {
      const page: RecordPage = await readPage(next, reader)
      for (const record of page.Records) records.push(...unpack(ShardId, record))
      next = page.NextShardIterator
      behindMs = page.MillisBehindLatest
    }
  }
  return { shards, records }
}

async function readPage(ShardIterator: string, reader: StreamReader): Promise<RecordPage> {
  for (;;) {
    try {
      return reader.call('GetRecords', { ShardIterator, Limit: 10_000 }) as RecordPage
    } catch (error) {
      if ((error as { code?: string }).code !== 'ProvisionedThroughputExceededException') throw error
      await reader.wait(250)
    }
  }
}

function unpack(shardId: string, record: RecordPage['Records'][number]): StoredRecord[] {
  const { PartitionKey: partitionKey, SequenceNumber: sequenceNumber, Data: data } = record
  const decoded = decodeAggregate(data)
  if (decoded.kind === 'corrupt')
    throw new Error(`${shardId}/${sequenceNumber} is a broken aggregate: ${decoded.reason}.`)
  const holder = {
    shardId,
    sequenceNumber,
    partitionKey,
    isAggregate: decoded.kind === 'aggregated',
    bytes: data.length,
  }
  if (decoded.kind === 'plain')
    return [{ holder, subSequenceNumber: undefined, partitionKey, explicitHashKey: undefined, data }]
  return decoded.records.map((member, subSequenceNumber) => ({
    holder,
    subSequenceNumber,
    partitionKey: member.partitionKey,
    explicitHashKey: member.explicitHashKey,
    data: member.data,
  }))
}
