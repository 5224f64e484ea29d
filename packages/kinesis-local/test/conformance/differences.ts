import type { EndpointName } from './endpoints.js'

export type Explained = Partial<Record<Exclude<EndpointName, 'remote'>, string>>

const noOperation = 'knows no such operation'
const noMode = 'asks for a ShardCount, and knows no other mode'
const validation =
  'has InvalidArgumentException for what breaks a constraint of the API reference, which is a ValidationException'
const wrongShape =
  'has SerializationException for a member that is absent or outside its enumeration; the JSON itself is fine'

/**
 * Where an emulator answers otherwise than the document that its scenario names, which is right, and what it answers. A difference that is
 * not here fails, and so does a line that no longer applies.
 */
export const differences: Readonly<Record<string, Explained>> = {
  'describes a new stream with its settings and equal shards': {
    'npm kinesis-local':
      'lets the second of two shards begin one hash key too early, so that they are not equal',
    kinesalite: 'tells no StreamModeDetails',
  },
  'tells the largest record that a stream takes': {
    'npm kinesis-local': 'tells no MaxRecordSizeInKiB',
    kinesalite: 'tells no MaxRecordSizeInKiB',
  },
  'describes the shards of a stream page by page': {
    kinesalite: 'ignores Limit and ExclusiveStartShardId',
  },
  'takes the ARN of a stream instead of its name': { kinesalite: 'knows no StreamARN' },
  'refuses names with other characters than letters, digits, _ . and -': { 'npm kinesis-local': validation },
  'refuses a stream of no shards': {
    'npm kinesis-local': 'has LimitExceededException for a ShardCount below its minimum of 1',
  },
  'lists streams with their state, and goes on by token': {
    'npm kinesis-local': 'tells neither StreamSummaries nor NextToken',
    kinesalite: 'tells neither StreamSummaries nor NextToken',
  },
  'tells the limits of the account': { kinesalite: noOperation },
  'lists shards page by page, with a token until the last': { kinesalite: 'ignores MaxResults' },
  'filters the shards that are open now: AT_LATEST': { kinesalite: 'ignores ShardFilter' },
  'filters the shards that were open when the stream begins: AT_TRIM_HORIZON': {
    'npm kinesis-local': 'gives shards that were made later too',
    kinesalite: 'ignores ShardFilter',
  },
  'filters the shards after an id: AFTER_SHARD_ID': { kinesalite: 'ignores ShardFilter' },
  'filters the shards that are open at an instant, and from it on: AT_TIMESTAMP, FROM_TIMESTAMP': {
    kinesalite: 'ignores ShardFilter',
  },
  'refuses a filter that there is not': {
    'npm kinesis-local': wrongShape,
    kinesalite: 'ignores ShardFilter',
  },
  'puts a record where its explicit hash key says': {
    'npm kinesis-local': 'lets the second of two shards begin one hash key too early',
  },
  'refuses explicit hash keys above 2^128-1, and what is no number': {
    'npm kinesis-local': 'fails with HTTP 500 on a hash key that is no number',
  },
  'takes a sequence number of the stream for ordering, and refuses what is none': {
    'npm kinesis-local': 'fails with HTTP 500 on a sequence number that is no number',
  },
  'refuses 501 records in a batch': { 'npm kinesis-local': 'takes 501 records' },
  'refuses a batch of none': { 'npm kinesis-local': 'takes a batch of none' },
  'takes a batch of 6 MiB': {
    kinesalite: 'keeps the limit of 5 MiB that the service had until 2025: HTTP 413',
  },
  'refuses a record that its key brings above 1 MiB': {
    'npm kinesis-local': 'counts the data without the key',
    kinesalite: 'counts the data without the key',
  },
  'stores nothing of a batch with a record that is too large': {
    'npm kinesis-local': 'stores the record before the one that is too large',
  },
  'takes partition keys of 1 to 256 characters': { 'npm kinesis-local': validation },
  'throttles record by record what is written too fast to a shard': {
    'npm kinesis-local': 'knows no limits of throughput',
    kinesalite: 'knows no limits of throughput',
  },
  'lets a shard be read five times in a second, not twenty times': {
    'npm kinesis-local': 'knows no limits of throughput',
    kinesalite: 'knows no limits of throughput',
  },
  'refuses iterators that lack what their type needs, or bring what it does not': {
    'npm kinesis-local': 'takes a StartingSequenceNumber with TRIM_HORIZON',
  },
  'refuses sequence numbers that are none, or of another shard': {
    'npm kinesis-local': 'takes a sequence number of another shard',
  },
  'refuses an iterator type that there is not': { 'npm kinesis-local': wrongShape },
  'knows no shard that there is not': { 'npm kinesis-local': validation },
  'tells a reader how far it is behind, and 0 at the tip': {
    'npm kinesis-local': 'counts up to the last record, not to the current time',
    kinesalite: 'answers 0 always',
  },
  'gives at most 10,000 records in a page': { 'npm kinesis-local': validation },
  'refuses an iterator that is none': { 'npm kinesis-local': 'fails with HTTP 500' },
  'ends a shard that was split with its children, and without an iterator': {
    kinesalite: 'tells no ChildShards',
  },
  'refuses to split at the edge of a shard, or outside it': {
    'npm kinesis-local': 'makes a child without a hash key of its own',
  },
  'refuses to split or merge what is closed': { kinesalite: 'splits a closed shard again' },
  'doubles and halves the shards of a stream into equal ones': { kinesalite: noOperation },
  'makes three equal shards of four': {
    'npm kinesis-local': 'merges two shards and leaves the others, so that one is twice as large',
    kinesalite: noOperation,
  },
  'refuses to scale above double or below half': { kinesalite: noOperation },
  'keeps records for up to 365 days': {
    kinesalite: 'keeps the limit of 7 days that the service had until 2020',
  },
  'refuses tags without a key, and values above 256 characters': { 'npm kinesis-local': validation },
  'switches metrics per shard on and off': { kinesalite: noOperation },
  'lets a stream take records above 1 MiB': { 'npm kinesis-local': validation, kinesalite: noOperation },
  'knows no operation that there is not': {
    'npm kinesis-local': 'has AccessDeniedException for an unknown X-Amz-Target',
  },
  'refuses a record without a partition key, or without data': { 'npm kinesis-local': wrongShape },
  'refuses to read without an iterator': { 'npm kinesis-local': wrongShape },
  'makes an on-demand stream with four shards': { kinesalite: noMode },
  'lets nobody scale an on-demand stream': {
    'npm kinesis-local': 'scales it, though the operation is for provisioned streams alone',
    kinesalite: noMode,
  },
  'switches the mode of a stream, which keeps its shards': { kinesalite: noOperation },
  'tells of the encryption of a stream, and of what is put into it': { kinesalite: noOperation },
  'tags a stream by its ARN': { kinesalite: noOperation },
  'registers a consumer with an ARN below that of its stream': { kinesalite: noOperation },
  'refuses to register a consumer twice': { kinesalite: noOperation },
  'counts the consumers of a stream': { kinesalite: noOperation },
  'lists consumers page by page, with a token until the last': {
    'npm kinesis-local': 'gives no token with a page that is not the last',
    kinesalite: noOperation,
  },
  'deregisters a consumer, and knows it no more': {
    'npm kinesis-local': 'still describes it seconds later',
    kinesalite: noOperation,
  },
  'refuses to delete a stream with consumers': { kinesalite: noOperation },
  'pushes the records of a shard to a consumer': { kinesalite: noOperation },
}
