import { type Clock, sleep } from '@org/kinesis-core'
import type { KinesisProducer, ProducerHooks } from '../../src/index.ts'
import { drawFrom } from './draw.ts'
import {
  deliver,
  fail,
  type Handing,
  handToEnqueue,
  handToPut,
  handToPutAll,
  type Load,
} from './hand-over.ts'
import type { Journal } from './journal.ts'
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
  const ways = drawFrom(seed, `${mode} way`)
  const records = recordsOf(traffic, settings.maxRecordBytes ?? scenario.maxRecordBytes, draw)
  const settled: Promise<void>[] = []
  journal.startedAtMs = clock.now()
  const gapMs = (2 * traffic.spanMs) / Math.max(1, traffic.records / (traffic.burst / 2 + 0.5))

  const flush = async () => {
    const flushed = { puts: journal.puts.length, calledAtMs: clock.now() }
    journal.flushes.push(flushed)
    await producer.flush()
    const before = journal.puts.slice(0, flushed.puts)
    const open = before
      .filter(({ settledAtMs, isBlind }) => settledAtMs === undefined && !isBlind)
      .map(({ number }) => number)
    Object.assign(flushed, { open })
  }
  const load = (): Load => {
    const isBad = draw.chance(traffic.bad)
    const number = journal.puts.length
    return { isBad, ...(isBad ? records.bad(number) : records.good(number)) }
  }
  const handing: Handing = {
    producer,
    clock,
    journal,
    react() {
      if (!ways.chance(traffic.reactions) || journal.puts.length >= 2 * traffic.records) return
      settled.push(ways.chance(0.5) ? flush() : handToEnqueue(load(), false, handing))
    },
  }

  while (journal.puts.length < traffic.records) {
    if (traffic.waitsForRoom) await producer.ready()
    if (draw.chance(traffic.resumes)) resumeHalted(producer, journal)
    let left = draw.between(1, traffic.burst)
    const next = () => (left-- > 0 && journal.puts.length < traffic.records ? load() : undefined)
    const way = traffic.way === 'any' ? ways.pick(['put', 'enqueue', 'put-all']) : traffic.way
    // Its records may wait for room where the producer does not know of them: others must not overtake them meanwhile.
    if (way === 'put-all') await handToPutAll(next, handing)
    else {
      for (let one = next(); one !== undefined; one = next()) {
        settled.push(
          way === 'put' ? handToPut(one, handing) : handToEnqueue(one, ways.chance(traffic.blind), handing),
        )
      }
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
  journal.closingMoment = journal.moment()
  journal.closed = await producer.close(deadlineMs === undefined ? {} : { deadlineMs })
  for (const put of journal.puts) {
    if (put.isBlind && put.settledAtMs === undefined) deliver(put, undefined, handing)
  }
  for (let known = -1; known < settled.length; ) {
    known = settled.length
    await Promise.all(settled)
  }
}

function resumeHalted(producer: KinesisProducer, journal: Journal): void {
  const failed = journal.puts.filter(({ failedMoments }) => failedMoments.length > 0)
  for (const partitionKey of new Set(failed.map((put) => put.partitionKey))) {
    if (producer.resumeKey(partitionKey)) journal.resumed.push({ partitionKey, moment: journal.moment() })
  }
}

/** What the producer tells while it works, into the journal. */
export function hooksInto(journal: Journal, clock: Clock): ProducerHooks {
  const { batches } = journal
  return {
    onBatchSent: () => void batches.sent++,
    onBatchSettled({ delivered, retried, unverified }) {
      batches.delivered += delivered
      batches.retried += retried
      batches.unverified += unverified
    },
    onRecordRetried({ records }) {
      journal.retriedByHook += records
    },
    onRecordFailed({ data, error }) {
      const number = numberOf(data)
      const put = number === undefined ? undefined : journal.puts[number]
      if (put === undefined) journal.strayFailures.push(Buffer.from(data).toString('latin1').slice(0, 40))
      else {
        put.failedMoments.push(journal.moment())
        if (put.isBlind) fail(put, error, { clock, journal })
      }
    },
  }
}
