import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { StreamingError } from '@org/kinesis-core'
import { REPLACEABLE_SERVICES, type ReplaceableService } from './endpoints/endpoint-options.js'
import { SHARD_LIMIT } from './kinesis/stream-registry.js'
import type { LocalOptions, LocalStreamOptions, LocalTableOptions } from './local-options.js'

export const CLI_HELP = `Usage: kinesis-local [options]

Keeps Kinesis, DynamoDB, SQS, SNS, Firehose and CloudWatch running on 127.0.0.1, for the AWS CLI and SDKs of any language.

  --port N              the port, 0 for a free one (4567)
  --stream NAME[:N]     a stream of N shards (1); may be repeated
  --table FILE          a DynamoDB table, described in JSON as for CreateTable; may be repeated
  --queue NAME          an SQS queue; may be repeated
  --topic NAME          an SNS topic; may be repeated
  --SERVICE-endpoint-url URL  another emulator serves kinesis, dynamodb, sqs, sns, s3,
                        firehose or cloudwatch
  --region REGION       the region of the ARNs (us-east-1)
  --data DIR            the folder for local.json; it is kept (a temporary one)
  --persist             keep the streams and their records in the folder of --data
  --no-shard-limits     shards take and give whatever comes
  --stream-transition-ms N  how long streams are CREATING, UPDATING, DELETING (0)
  --help                this text
`

/** What the command line asks for; every mistake is an error that names the flag and the remedy. */
export function readCliArguments(args: readonly string[]): LocalOptions | 'help' {
  const {
    port = '4567',
    stream = [],
    table = [],
    queue = [],
    topic = [],
    region,
    data,
    help,
    ...rest
  } = parse(args)
  if (help) return 'help'
  return {
    port: wholeNumber('--port', port, 0, 65_535),
    streams: stream.map(readStream),
    tables: table.map(readTable),
    queues: queue,
    topics: topic,
    ...(region === undefined ? {} : { region }),
    ...(data === undefined ? {} : { dataDir: resolve(data) }),
    endpoints: Object.fromEntries(
      REPLACEABLE_SERVICES.flatMap((service) => {
        const url = rest[`${service}-endpoint-url`]
        return typeof url === 'string' ? [[service, url]] : []
      }),
    ),
    persist: rest.persist,
    shardLimits: !rest['no-shard-limits'],
    streamTransitionMs: wholeNumber('--stream-transition-ms', rest['stream-transition-ms'], 0, 3_600_000),
  }
}

const endpointFlags = Object.fromEntries(
  REPLACEABLE_SERVICES.map((service) => [`${service}-endpoint-url`, { type: 'string' }]),
) as Record<`${ReplaceableService}-endpoint-url`, { type: 'string' }>

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        stream: { type: 'string', multiple: true },
        table: { type: 'string', multiple: true },
        queue: { type: 'string', multiple: true },
        topic: { type: 'string', multiple: true },
        ...endpointFlags,
        region: { type: 'string' },
        data: { type: 'string' },
        'stream-transition-ms': { type: 'string', default: '0' },
        persist: { type: 'boolean', default: false },
        'no-shard-limits': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    const [reason] = (error as Error).message.split('. ')
    throw usageError(`${reason?.replace(/\.$/, '')}. See kinesis-local --help.`)
  }
}

function readStream(text: string): LocalStreamOptions {
  const [name = '', shards = '1', ...more] = text.split(':')
  if (name === '' || more.length > 0) {
    throw usageError(`--stream ${text}: give a name, or a name and a number of shards, such as orders:2.`)
  }
  return { name, shards: wholeNumber(`--stream ${text}`, shards, 1, SHARD_LIMIT) }
}

function readTable(file: string): LocalTableOptions {
  let table: unknown
  try {
    table = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw usageError(`--table ${file}: it cannot be read as JSON (${(error as Error).message}).`)
  }
  if (typeof table === 'object' && table !== null && 'TableName' in table) return table as LocalTableOptions
  throw usageError(`--table ${file}: it has no TableName. Give the input of CreateTable.`)
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw usageError(`${flag}: ${JSON.stringify(text)} is no whole number from ${least} to ${most}.`)
}

function usageError(message: string): StreamingError {
  return new StreamingError(message, { code: 'USAGE', retryable: false })
}
