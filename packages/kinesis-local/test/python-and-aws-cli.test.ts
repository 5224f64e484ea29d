import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'

const STREAM = 'kinesis-streaming-dev-data-stream'
const LIMIT_MS = 120_000

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const hasAwsCli = runs('aws', '--version')
const hasBoto3 = runs('python3', '-c', 'import boto3')

let local: Local

beforeAll(async () => {
  local = await startLocal({ streams: [{ name: STREAM, shards: 2 }] })
})
afterAll(() => local.close())

async function run(command: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, ...local.environment, AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true' }
  const { stdout } = await promisify(execFile)(command, args, { env })
  return stdout
}

describe.skipIf(!hasAwsCli)(
  `the AWS CLI${hasAwsCli ? '' : ' (skipped: there is no aws on the PATH)'}`,
  () => {
    async function aws(command: string): Promise<string> {
      return run('aws', command.split(/\s+/))
    }

    const json = async (command: string) => JSON.parse(await aws(command))

    it('runs the commands by which people look at a stream, unchanged', { timeout: LIMIT_MS }, async () => {
      expect(await json('kinesis list-streams')).toMatchObject({ StreamNames: [STREAM] })
      await json(`kinesis put-record --stream-name ${STREAM} --partition-key a --data aGVsbG8=`)
      const put = await json(
        `kinesis put-records --stream-name ${STREAM} --records Data=aGVsbG8=,PartitionKey=a Data=aGVsbG8=,PartitionKey=a`,
      )
      expect(put).toMatchObject({ FailedRecordCount: 0 })
      const iterator = await aws(
        `kinesis get-shard-iterator --stream-name ${STREAM} --shard-id ${put.Records[0].ShardId} --shard-iterator-type TRIM_HORIZON --query ShardIterator --output text`,
      )
      const { Records } = await json(`kinesis get-records --shard-iterator ${iterator.trim()}`)
      expect(Records).toHaveLength(3)

      expect(
        await json(
          `kinesis update-shard-count --stream-name ${STREAM} --target-shard-count 4 --scaling-type UNIFORM_SCALING`,
        ),
      ).toMatchObject({ CurrentShardCount: 2, TargetShardCount: 4 })
      await aws(`kinesis wait stream-exists --stream-name ${STREAM}`)
      expect(await json(`kinesis describe-stream-summary --stream-name ${STREAM}`)).toMatchObject({
        StreamDescriptionSummary: { OpenShardCount: 4, StreamStatus: 'ACTIVE' },
      })

      const time = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString()
      const { Datapoints } = await json(
        `cloudwatch get-metric-statistics --namespace AWS/Kinesis --metric-name IncomingRecords --dimensions Name=StreamName,Value=${STREAM} --start-time ${time(-3_600_000)} --end-time ${time(3_600_000)} --period 3600 --statistics Sum`,
      )
      const sum = Datapoints.reduce((total: number, { Sum }: { Sum: number }) => total + Sum, 0)
      expect(sum).toBe(3)
    })

    it('says what the service says of a stream that is not there', { timeout: LIMIT_MS }, async () => {
      await expect(aws('kinesis describe-stream --stream-name none')).rejects.toThrow(
        /ResourceNotFoundException.*Stream none under account 000000000000 not found/,
      )
    })
  },
)

describe.skipIf(!hasBoto3)(`boto3${hasBoto3 ? '' : ' (skipped: python3 cannot import it)'}`, () => {
  const script = (name: string) => fileURLToPath(new URL(`python/${name}.py`, import.meta.url))

  it('runs a plain consumer, unchanged', { timeout: LIMIT_MS }, async () => {
    local.kinesis.createStream({ name: 'consumed', shards: 2, retentionHours: 24 })

    expect(await run('python3', [script('consumer_test'), 'consumed'])).toBe(
      'Shard shardId-000000000000: 0 records\nShard shardId-000000000001: 0 records\n',
    )
  })

  it('waits, writes, reads, pages and subscribes', { timeout: LIMIT_MS }, async () => {
    expect(JSON.parse(await run('python3', [script('kinesis_client'), 'from-python']))).toEqual({
      failed: 0,
      read: 51,
      consumers: ['consumer-0', 'consumer-1', 'consumer-2'],
      children: ['shardId-000000000003', 'shardId-000000000004'],
      pushed: true,
      list_shards: 'NextToken and StreamName cannot be provided together.',
      none: 'Stream none under account 000000000000 not found.',
    })
  })

  it.each(['smithy-rpc-v2-cbor', 'json', 'query'])(
    'speaks with CloudWatch in %s',
    { timeout: LIMIT_MS },
    async (protocol) => {
      expect(JSON.parse(await run('python3', [script('cloudwatch_client'), protocol]))).toEqual({
        points: [[7.5, 5, '2026-01-01T00:00:00+00:00']],
        data: [['orders', [7.5], ['2026-01-01T00:00:00+00:00']]],
        metrics: [[{ Name: 'Shop', Value: '7' }]],
        error: expect.stringContaining('StartTime'),
      })
    },
  )
})
