import type { Clock, Random } from '@org/kinesis-core'
import { sleep } from '@org/kinesis-core'
import type { KinesisProducer } from '@org/kinesis-producer'
import { expect } from 'vitest'

export interface PutEvent {
  id: string
  userId: string
  isBad: boolean
}

export interface TrafficOptions {
  events: number
  /** Longest wait between two events. */
  maxGapMs: number
  clock: Clock
  random: Random
  reshard: (targetShardCount: number) => void
}

/** Events of twelve users, one in twenty bad, while the stream goes from 2 shards to 4 and to 3; ends when every put has settled. */
export async function pipelineTraffic(
  producer: KinesisProducer,
  options: TrafficOptions,
): Promise<PutEvent[]> {
  const { events: count, maxGapMs, clock, random, reshard } = options
  const events: PutEvent[] = []
  const puts: Promise<unknown>[] = []
  for (let n = 0; n < count; n += 1) {
    const event = { id: `event-${n}`, userId: `user_${Math.floor(random() * 12)}`, isBad: random() < 0.05 }
    events.push(event)
    puts.push(producer.put({ partitionKey: event.userId, data: recordOf(event, clock.now(), n) }))
    if (n === Math.floor(count / 4)) reshard(4)
    if (n === Math.floor(count / 2)) reshard(3)
    await sleep(clock, random() * maxGapMs)
  }
  await Promise.all(puts)
  await producer.close()
  return events
}

function recordOf({ id, userId, isBad }: PutEvent, nowMs: number, n: number): object | string {
  const event = {
    event_id: id,
    user_id: userId,
    event_type: 'click',
    timestamp: new Date(nowMs).toISOString(),
    value: n,
  }
  if (!isBad) return event
  return n % 2 === 0 ? { ...event, event_type: 7 } : `{"event_id": "${id}"`
}

/** Every good event stored, each user's in the order of their puts; every bad one rejected; nothing else. */
export function expectBalance(
  events: readonly PutEvent[],
  found: {
    /** As they were first stored. */
    stored: readonly { userId: string; eventId: string }[]
    /** Bodies of the messages in the queue. */
    rejected: readonly string[]
  },
): void {
  const good = events.filter(({ isBad }) => !isBad)
  for (const user of new Set(good.map(({ userId }) => userId))) {
    const ofUser = found.stored.filter(({ userId }) => userId === user).map(({ eventId }) => eventId)
    expect(ofUser, `the order of ${user}`).toEqual(
      good.filter(({ userId }) => userId === user).map(({ id }) => id),
    )
  }
  expect(found.stored).toHaveLength(good.length)
  // By position: a record that is handed over again may be rejected again, under the position that it had.
  const rejected = new Map(
    found.rejected.map((body) => {
      const { shardId, sequenceNumber, payload } = JSON.parse(body) as Record<string, string>
      const text = Buffer.from(payload!, 'base64').toString()
      return [`${shardId}/${sequenceNumber}`, /"event_id": ?"([^"]+)"/.exec(text)?.[1]]
    }),
  )
  expect(new Set(rejected.values())).toEqual(new Set(events.filter(({ isBad }) => isBad).map(({ id }) => id)))
}
