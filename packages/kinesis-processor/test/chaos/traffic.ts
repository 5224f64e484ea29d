import { hash } from 'node:crypto'
import { type Random, sleep } from '@org/kinesis-core'
import { aggregated } from '@org/kinesis-core/testing'
import type { Simulation } from '@org/kinesis-local'
import { FATES, type Fate, KEYS, type Scenario } from './scenario.js'

export const STREAM = 'events'

export interface PutEvent {
  n: number
  key: string
  fate: Fate
}

const POISON = (Object.keys(FATES) as Fate[]).filter((fate) => fate !== 'good' && fate !== 'broken-aggregate')

/** Puts everything that the scenario has, one record after the other, so that the order in the stream is that of the events. */
export async function runTraffic(sim: Simulation, scenario: Scenario): Promise<PutEvent[]> {
  const random = sim.random('traffic')
  const events: PutEvent[] = []
  const sent: PutEvent[][] = []
  for (let pack = 0; pack < scenario.packs; pack++) {
    const isAggregated = random() < scenario.aggregatedShare
    const members = drawPack(random, events.length, isAggregated, scenario)
    events.push(...members)
    for (const record of recordsOf(members, isAggregated)) put(sim, members[0]!.key, record)
    if (isAggregated && members[0]!.fate !== 'broken-aggregate') sent.push(members)
    // As a producer does that has not heard of an answer: the same records in a new one, at once or later.
    const again = sent.at(-1 - Math.floor(random() * 3))
    if (again !== undefined && random() < scenario.resendShare) {
      for (const record of recordsOf(again, true)) put(sim, again[0]!.key, record)
    }
    const reshard = scenario.reshards.findIndex(
      (_, index) => pack === Math.floor(((index + 1) * scenario.packs) / (scenario.reshards.length + 1)),
    )
    if (reshard >= 0) bringTo(sim, scenario.reshards[reshard]!)
    await sleep(sim.clock, random() * scenario.maxGapMs)
  }
  return events
}

function drawPack(random: Random, from: number, isAggregated: boolean, scenario: Scenario): PutEvent[] {
  const key = `key-${Math.floor(random() * KEYS)}`
  // As a whole it is one record, and one event.
  if (isAggregated && random() < scenario.poisonShare / 8) return [{ n: from, key, fate: 'broken-aggregate' }]
  return Array.from({ length: 1 + Math.floor(random() * 5) }, (_, index) => ({
    n: from + index,
    key,
    fate: random() < scenario.poisonShare ? POISON[Math.floor(random() * POISON.length)]! : 'good',
  }))
}

/** Members of an aggregate have its own key, which is what keeps their order where batches of a shard run side by side. */
function recordsOf(members: readonly PutEvent[], isAggregated: boolean): Uint8Array[] {
  if (members[0]!.fate === 'broken-aggregate') return [brokenAggregate(members[0]!)]
  if (!isAggregated) return members.map(bytesOf)
  return [
    aggregated(
      members.map((event) => ({
        partitionKey: event.key,
        data: bytesOf(event),
        producer: { producerId: 'chaos', sequence: event.n + 1 },
      })),
    ),
  ]
}

function bytesOf({ n, key, fate }: PutEvent): Buffer {
  const id = `event-${n}`
  if (fate === 'no-utf8') return Buffer.concat([Buffer.from(`{"id":"${id}","key":"`), Buffer.of(0xff)])
  if (fate === 'no-json') return Buffer.from(`{"id":"${id}",`)
  return Buffer.from(JSON.stringify({ id, n: fate === 'wrong-type' ? `${n}` : n, key, fate }))
}

/** Under the right checksum, so that nobody takes it for a plain record. */
function brokenAggregate({ n }: PutEvent): Buffer {
  const message = Buffer.from(`\xff\xff event-${n} `, 'latin1')
  return Buffer.concat([Buffer.from('f3899ac2', 'hex'), message, hash('md5', message, 'buffer')])
}

function put({ kinesis }: Simulation, key: string, data: Uint8Array): void {
  const { FailedRecordCount } = kinesis.call('PutRecords', {
    StreamName: STREAM,
    Records: [{ PartitionKey: key, Data: data }],
  }) as { FailedRecordCount: number }
  if (FailedRecordCount > 0) throw new Error('The stream took a record of the campaign not.')
}

function bringTo({ kinesis }: Simulation, TargetShardCount: number): void {
  const { StreamDescriptionSummary } = kinesis.call('DescribeStreamSummary', { StreamName: STREAM }) as {
    StreamDescriptionSummary: { OpenShardCount: number; StreamStatus: string }
  }
  const { OpenShardCount, StreamStatus } = StreamDescriptionSummary
  const isWithinReach = TargetShardCount <= OpenShardCount * 2 && TargetShardCount >= OpenShardCount / 2
  if (StreamStatus !== 'ACTIVE' || OpenShardCount === TargetShardCount || !isWithinReach) return
  kinesis.call('UpdateShardCount', { StreamName: STREAM, TargetShardCount, ScalingType: 'UNIFORM_SCALING' })
}
