import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type AcceptedEvent, userEventSchema } from '@org/demo-generator/user-event'
import type { Clock, Random } from '@org/kinesis-core'
import {
  json,
  stats,
  type TumblingWindowsHandler,
  tumblingWindows,
  type WindowPartial,
} from '@org/kinesis-processor'
import { dynamoDbSink } from '@org/kinesis-processor/dynamodb'
import { normalise } from './processed-event.js'

export interface UserEventWindowsOptions {
  dynamodb: DynamoDBClient
  tableName: string
  /** @default the system's clock and Math.random */
  time?: { clock?: Clock; random?: Random }
}

const aggregates = { value: stats(({ value }: AcceptedEvent) => value) }
type UserEventPartial = WindowPartial<typeof aggregates>

/** Counts and averages per user and event type in windows of one minute of event time. */
export function userEventWindows({
  dynamodb,
  tableName,
  time = {},
}: UserEventWindowsOptions): TumblingWindowsHandler {
  return tumblingWindows({
    decode: json(userEventSchema),
    key: (event) => windowKey(event.user_id.trim(), event.event_type.trim().toUpperCase()),
    time: (event, position) => Date.parse(normalise(event, position).event_time),
    aggregates,
    emit: dynamoDbSink<UserEventPartial>({
      client: dynamodb,
      tableName,
      key: { partition: 'window_key', sort: 'partial_id' },
      uniqueKeys: true,
      item: toWindowItem,
      ...time,
    }),
    ...time,
  })
}

/** `user#TYPE`. Both may hold a `#`, so that of the type is escaped: the last one in the key is the one between them. */
export function windowKey(userId: string, eventType: string): string {
  return `${userId}#${eventType.replaceAll('%', '%25').replaceAll('#', '%23')}`
}

function partsOf(key: string): { user_id: string; event_type: string } {
  const between = key.lastIndexOf('#')
  const eventType = key
    .slice(between + 1)
    .replaceAll('%23', '#')
    .replaceAll('%25', '%')
  return { user_id: key.slice(0, between), event_type: eventType }
}

function toWindowItem(partial: UserEventPartial): Record<string, unknown> {
  const { count, sum, average, minimum, maximum } = partial.aggregates.value
  return {
    window_key: partial.key,
    ...partsOf(partial.key),
    partial_id: partial.partialId,
    window_start: new Date(partial.windowStartMs).toISOString(),
    window_end: new Date(partial.windowEndMs).toISOString(),
    shard_id: partial.shardId,
    event_count: partial.count,
    value_count: count,
    value_sum: sum,
    ...(count === 0 ? {} : { avg_value: average, min_value: minimum, max_value: maximum }),
  }
}
