import type { KinesisEvent } from '@org/kinesis-core'
import { kinesisEvent } from '@org/kinesis-core/testing'
import { z } from 'zod'
import { inputOf, type Event as UserEvent } from '../../../kinesis-producer/bench/sides/events.ts'

export const TABLE = 'bench'

/** The bench's events are those of the producer's: 305 bytes of JSON, 2,000 users. */
export const schema = z.object({
  event_id: z.string().min(1),
  timestamp: z.string().min(1),
  user_id: z.string().min(1),
  event_type: z.string().min(1),
  value: z.number(),
  metadata: z.object({
    device: z.string(),
    browser: z.string(),
    country: z.string(),
    session_id: z.string(),
  }),
})

export type { UserEvent }

/** Handles one batch; resolves with Lambda's response. */
export type Side = (event: KinesisEvent) => Promise<unknown>

/** Batch `index` of a run; no two events of a run have the same user and time. */
export function batchOf(index: number, records: number): KinesisEvent {
  return kinesisEvent(
    Array.from({ length: records }, (_, at) => {
      const number = index * records + at
      const { partitionKey, event } = inputOf(number)
      return { partitionKey, data: { ...event, timestamp: timeOf(number) } }
    }),
  )
}

/** As long as the times of the inputs. */
function timeOf(number: number): string {
  return new Date(1_760_000_000_000 + number).toISOString()
}

export function requireSuccess(response: unknown): void {
  const { batchItemFailures } = response as { batchItemFailures: unknown[] }
  if (batchItemFailures.length > 0) throw new Error('A batch was not processed as a whole.')
}
