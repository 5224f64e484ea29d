import { extname } from 'node:path'
import { StreamingError } from '@org/kinesis-core'
import type { StreamIdentity } from '../put-records-transport.js'
import type { ConnectionFlags } from './connection.js'
import type { InputFormat } from './record-reader.js'

/** A command line that makes sense, whatever the stream and the input are like. */
export interface ProduceCommand extends ConnectionFlags {
  files: string[]
  /** Undefined in a dry run that names none. */
  stream: StreamIdentity | undefined
  format: InputFormat
  delimiter: string
  partitionKey?: string
  partitionKeyRegex?: RegExp
  explicitHashKey?: string
  skipEmpty: boolean
  onBadInput: 'skip' | 'stop'
  rate?: number
  aggregate?: boolean
  ordering: 'none' | 'per-key'
  lingerMs?: number
  maxInFlight?: number
  maxRecordBytes?: number
  recordTtlMs?: number
  dryRun?: boolean
  json?: boolean
}

/** The flags as they were given. */
export type ProduceFlags = Omit<ProduceCommand, 'files' | 'stream' | 'format' | 'delimiter'> & {
  streamName?: string
  streamArn?: string
  format?: InputFormat
  delimiter?: string
}

/** Fills in what was left out, and refuses flags that would have no effect: whoever gave one expects one. */
export function resolveProduceCommand(files: readonly string[], flags: ProduceFlags): ProduceCommand {
  const { streamName, streamArn, ...rest } = flags
  const format = flags.format ?? formatByName(files)
  const { partitionKey, partitionKeyRegex } = flags
  refuseIdleFlag('--partition-key', partitionKey, format, ['ndjson', 'csv'])
  refuseIdleFlag('--partition-key-regex', partitionKeyRegex, format, ['lines'])
  refuseIdleFlag('--explicit-hash-key', flags.explicitHashKey, format, ['ndjson', 'csv'])
  refuseIdleFlag('--delimiter', flags.delimiter, format, ['csv'])
  refuseIdleFlag('--no-skip-empty', flags.skipEmpty ? undefined : false, format, ['lines'])
  if (flags.ordering === 'per-key' && partitionKey === undefined && partitionKeyRegex === undefined) {
    const flag = format === 'lines' ? '--partition-key-regex' : '--partition-key'
    throw usage(`--ordering per-key has no effect on random keys: pass ${flag}, too.`)
  }
  if (files.filter((file) => file === '-').length > 1)
    throw usage('Standard input can be read only once: name - once.')
  return {
    ...rest,
    files: files.length === 0 ? ['-'] : [...files],
    stream: streamOf(streamName, streamArn, flags.dryRun === true),
    format,
    delimiter: flags.delimiter ?? ',',
  }
}

function refuseIdleFlag(
  flag: string,
  value: unknown,
  format: InputFormat,
  formats: readonly InputFormat[],
): void {
  if (value === undefined || formats.includes(format)) return
  const remedy = `pass --format ${formats.join(' or --format ')}, or leave it out`
  throw usage(`${flag} has no effect on ${format}: ${remedy}.`)
}

function streamOf(
  streamName: string | undefined,
  streamArn: string | undefined,
  isDryRun: boolean,
): StreamIdentity | undefined {
  if (streamName !== undefined && streamArn !== undefined)
    throw usage('Pass --stream-name or --stream-arn, not both.')
  if (streamName !== undefined) return { streamName }
  if (streamArn !== undefined) return { streamArn }
  if (isDryRun) return undefined
  throw usage('Pass --stream-name NAME, or --stream-arn ARN.')
}

const formatsByEnding: Readonly<Record<string, InputFormat>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
}

function formatByName(files: readonly string[]): InputFormat {
  const formats = new Set(
    files.map((file) => formatsByEnding[extname(file.replace(/\.gz$/, '')).toLowerCase()] ?? 'lines'),
  )
  if (formats.size > 1)
    throw usage(`The files are ${[...formats].join(' and ')} by their names: pass --format.`)
  return [...formats][0] ?? 'lines'
}

function usage(message: string): StreamingError {
  return new StreamingError(message, { code: 'USAGE', retryable: false })
}
