import { InvalidOptionError, kinesisQuotas } from '@org/kinesis-core'
import type { KinesisProducerOptions } from '../producer-options.js'
import type { StreamIdentity } from '../put-records-transport.js'
import { connectionTo } from './connection.js'
import type { ProduceCommand } from './produce-command.js'
import { checkStream, type StreamFacts } from './stream-check.js'

const MiB = 1024 * 1024

type Settings = KinesisProducerOptions & { maxRecordBytes: number }

/** What the producer is made with, once the stream has been asked for: what is wrong with either is thrown. */
export async function producerSettings(
  command: ProduceCommand,
  stream: StreamIdentity,
  environment: NodeJS.ProcessEnv,
): Promise<Settings> {
  const connection = connectionTo(stream, command, environment)
  const facts = await checkStream(stream, connection, environment)
  const maxRecordBytes = recordBound(command.maxRecordBytes, facts)
  return {
    ...stream,
    ...connection,
    ordering: command.ordering,
    maxRecordBytes,
    maxBufferedBytes: bufferBound(maxRecordBytes, facts, command.aggregate === true),
    ...given({
      lingerMs: command.lingerMs,
      maxInFlightRequests: command.maxInFlight,
      recordTtlMs: command.recordTtlMs,
      aggregation: command.aggregate ? true : undefined,
    }),
  }
}

/** The bound where no stream is asked. */
export function recordBound(asked: number | undefined, { maxRecordBytes }: StreamFacts): number {
  if (asked !== undefined && maxRecordBytes !== undefined && asked > maxRecordBytes) {
    throw new InvalidOptionError(
      '--max-record-bytes',
      asked,
      `The stream takes ${maxRecordBytes}; UpdateMaxRecordSize raises that.`,
    )
  }
  return asked ?? maxRecordBytes ?? kinesisQuotas.defaultMaxRecordBytes
}

/**
 * As far ahead of the stream as keeps its shards busy, and no more: what was read is still to be drained after Ctrl-C. The bound counts what a
 * record costs in memory, so where many small ones are sent as one it has to be larger.
 */
function bufferBound(maxRecordBytes: number, { openShards }: StreamFacts, isAggregated: boolean): number {
  const seconds = isAggregated ? 8 : 2
  const shards = openShards ?? Number.POSITIVE_INFINITY
  const taken = shards * seconds * kinesisQuotas.shardWriteBytesPerSecond
  return Math.max(2 * maxRecordBytes, Math.min(64 * MiB, taken))
}

type Given<T> = { [K in keyof T]?: NonNullable<T[K]> }

/** Without what is undefined, which the producer takes for a value that was passed. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>
}
