import type { Clock } from '@org/kinesis-core'
import type { KinesisProducer, ProducerError, ProducerRecord, Receipt } from '../../src/index.ts'
import type { Journal, Put } from './journal.ts'
import type { Way } from './traffic-plan.ts'

/** A record to be put, and what the stream must hold of it. */
export interface Load {
  record: ProducerRecord
  data: Uint8Array
  isBad: boolean
}

export interface Handing {
  producer: KinesisProducer
  clock: Clock
  journal: Journal
  /** Called in the midst of the producer's work, from a callback of `enqueue`. */
  react(): void
}

/** By a promise; resolves when it has settled. */
export async function handToPut(load: Load, handing: Handing): Promise<void> {
  const { producer } = handing
  const entry = noted(load, 'put', false, handing)
  const settled = producer.put(load.record)
  notePeak(handing)
  await settled.then(
    (receipt) => deliver(entry, receipt, handing),
    (error: ProducerError) => fail(entry, error, handing),
  )
}

/** By callbacks, or by none; resolves when it has settled, which of a blind one is never known. */
export function handToEnqueue(load: Load, isBlind: boolean, handing: Handing): Promise<void> {
  const { producer, react } = handing
  const entry = noted(load, 'enqueue', isBlind, handing)
  return new Promise((resolve) => {
    const onDelivered = (receipt: Receipt) => {
      deliver(entry, receipt, handing)
      resolve()
      react()
    }
    const onFailed = (error: ProducerError) => {
      fail(entry, error, handing)
      resolve()
      react()
    }
    try {
      if (isBlind) producer.enqueue(load.record)
      else producer.enqueue(load.record, onDelivered, onFailed)
      notePeak(handing)
      if (isBlind) resolve()
    } catch (error) {
      fail(entry, error as ProducerError, handing)
      resolve()
    }
  })
}

/** By `putAll`, as long as there is something to put; resolves when all of it has settled. */
export async function handToPutAll(loads: () => Load | undefined, handing: Handing): Promise<void> {
  const { producer, clock, journal } = handing
  const entries: Put[] = []
  function* source() {
    for (let load = loads(); load !== undefined; load = loads()) {
      entries.push(noted(load, 'put-all', true, handing))
      yield load.record
      notePeak(handing)
    }
  }
  const isFailed = ({ error }: Put) => error !== undefined
  try {
    const { delivered, failed, firstError } = await producer.putAll(source())
    const failures = entries.filter(isFailed)
    const isRight =
      failed === failures.length &&
      delivered === entries.length - failed &&
      (failed === 0 ? firstError === undefined : failures.some(({ error }) => error === firstError))
    if (!isRight)
      journal.wrongTallies.push(
        `putAll told of ${delivered} delivered and ${failed} failed, ${failures.length} of ${entries.length} failed.`,
      )
  } catch (error) {
    // What cannot be put ends it.
    const last = entries.at(-1)!
    if (isFailed(last)) journal.wrongTallies.push(`putAll was ended by ${error}, which was no refusal.`)
    else fail(last, error as ProducerError, handing)
  }
  for (const entry of entries) if (!isFailed(entry)) deliver(entry, undefined, { clock, journal })
}

function noted(
  { record: { partitionKey, explicitHashKey }, data, isBad }: Load,
  way: Way,
  isBlind: boolean,
  { clock, journal }: Handing,
): Put {
  const entry: Put = {
    number: journal.puts.length,
    partitionKey,
    explicitHashKey,
    data,
    isBad,
    way,
    isBlind,
    isDelivered: false,
    atMs: clock.now(),
    moment: journal.moment(),
    failedMoments: [],
  }
  journal.puts.push(entry)
  return entry
}

type Noting = Pick<Handing, 'clock' | 'journal'>

export function deliver(entry: Put, receipt: Receipt | undefined, { clock, journal }: Noting): void {
  if (entry.settledAtMs !== undefined) journal.settledTwice.push(entry.number)
  entry.settledAtMs = clock.now()
  entry.isDelivered = true
  if (receipt !== undefined) entry.receipt = receipt
}

export function fail(entry: Put, error: ProducerError, { clock, journal }: Noting): void {
  if (entry.settledAtMs !== undefined) journal.settledTwice.push(entry.number)
  entry.settledAtMs = clock.now()
  entry.error = error
}

function notePeak({ producer, journal }: Handing): void {
  journal.peakBufferedBytes = Math.max(journal.peakBufferedBytes, producer.stats().bufferedBytes)
}
