import { type Clock, sleep } from '@org/kinesis-core'
import type {
  BatchSettledEvent,
  KinesisProducer,
  ProducerError,
  ProducerHooks,
  ProducerRecord,
} from '../../src/index.ts'
import { drawFrom } from './draw.ts'
import type { Journal, Put } from './journal.ts'
import { numberOf, recordsOf } from './record-data.ts'
import type { Scenario } from './scenario.ts'

/** Puts what the scenario says, flushes, resumes and closes; ends when `close()` has ended and every put has settled. */
export async function runTraffic(
  producer: KinesisProducer,
  scenario: Scenario,
  { clock, journal }: { clock: Clock; journal: Journal },
): Promise<void> {
  const { traffic, producer: settings, ending, seed, mode } = scenario
  const draw = drawFrom(seed, `${mode} traffic`)
  const records = recordsOf(traffic, settings.maxRecordBytes, draw)
  const settled: Promise<void>[] = []
  journal.startedAtMs = clock.now()
  const gapMs = (2 * traffic.spanMs) / Math.max(1, traffic.records / (traffic.burst / 2 + 0.5))

  const flush = async () => {
    const flushed = { puts: journal.puts.length, calledAtMs: clock.now() }
    journal.flushes.push(flushed)
    await producer.flush()
    const before = journal.puts.slice(0, flushed.puts)
    const open = before.filter((put) => put.settledAtMs === undefined).map(({ number }) => number)
    Object.assign(flushed, { open })
  }

  while (journal.puts.length < traffic.records) {
    if (traffic.waitsForRoom) await producer.ready()
    if (draw.chance(traffic.resumes)) resumeHalted(producer, journal)
    for (
      let left = draw.between(1, traffic.burst);
      left > 0 && journal.puts.length < traffic.records;
      left--
    ) {
      const isBad = draw.chance(traffic.bad)
      const number = journal.puts.length
      const { record, data } = isBad ? records.bad(number) : records.good(number)
      settled.push(put(producer, record, data, isBad, { clock, journal }))
    }
    if (draw.chance(traffic.flushes)) {
      const flushed = flush()
      settled.push(flushed)
      if (traffic.awaitsFlushes) await flushed
    }
    if (draw.chance(0.8)) await sleep(clock, draw.between(0, Math.ceil(gapMs)))
  }
  if (ending.flushFirst) await flush()
  const { deadlineMs } = ending
  journal.closed = await producer.close(deadlineMs === undefined ? {} : { deadlineMs })
  await Promise.all(settled)
}

function put(
  producer: KinesisProducer,
  record: ProducerRecord,
  data: Uint8Array,
  isBad: boolean,
  { clock, journal }: { clock: Clock; journal: Journal },
): Promise<void> {
  const { partitionKey, explicitHashKey } = record
  const entry: Put = {
    number: journal.puts.length,
    partitionKey,
    explicitHashKey,
    data,
    isBad,
    atMs: clock.now(),
    moment: journal.moment(),
    failedMoments: [],
  }
  journal.puts.push(entry)
  const settled = producer.put(record).then(
    (receipt) => {
      entry.settledAtMs = clock.now()
      entry.receipt = receipt
    },
    (error: ProducerError) => {
      entry.settledAtMs = clock.now()
      entry.error = error
    },
  )
  journal.peakBufferedBytes = Math.max(journal.peakBufferedBytes, producer.stats().bufferedBytes)
  return settled
}

function resumeHalted(producer: KinesisProducer, journal: Journal): void {
  const failed = journal.puts.filter(({ failedMoments }) => failedMoments.length > 0)
  for (const partitionKey of new Set(failed.map((put) => put.partitionKey))) {
    if (producer.resumeKey(partitionKey)) journal.resumed.push({ partitionKey, moment: journal.moment() })
  }
}

/** What the producer tells while it works, into the journal. */
export function hooksInto(journal: Journal): ProducerHooks {
  const { batches } = journal
  return {
    onBatchSent: () => void batches.sent++,
    onBatchSettled({ delivered, retried, failed, fault }: BatchSettledEvent) {
      batches.settled++
      batches.delivered += delivered
      batches.retried += retried
      batches.failed += failed
      if (fault !== undefined) batches.faults++
    },
    onRecordFailed({ data }) {
      const number = numberOf(data)
      const put = number === undefined ? undefined : journal.puts[number]
      if (put === undefined) journal.strayFailures.push(Buffer.from(data).toString('latin1').slice(0, 40))
      else put.failedMoments.push(journal.moment())
    },
  }
}
