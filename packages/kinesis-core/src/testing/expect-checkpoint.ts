import { AssertionError } from 'node:assert'
import { readBatchResponse } from '../event-source-mapping/batch-response.js'
import type { KinesisEvent } from '../lambda-events.js'

export interface CheckpointExpectation {
  /** Lambda goes on with the record at this index of the event, which comes again with all behind it. */
  at(index: number): void
  /** Lambda goes on behind the batch: all of it is resolved. */
  atEnd(): void
}

/**
 * Says where Lambda would go on after this response, read as Lambda reads it, where the mapping asks for `ReportBatchItemFailures`. Fails with
 * an `AssertionError`, which every test runner shows.
 *
 * @param response what the handler gave
 * @param event what it was given
 */
export function expectCheckpoint(response: unknown, event: KinesisEvent): CheckpointExpectation {
  const records = event.Records
  const verdict = readBatchResponse(
    response,
    records.map(({ kinesis }) => kinesis),
  )
  const place = (index: number) => {
    const record = records[index]
    if (record === undefined) return `record ${index}, and the event has ${records.length}`
    const { partitionKey, sequenceNumber } = record.kinesis
    return `record ${index} (partition key ${partitionKey}, sequence number ${sequenceNumber})`
  }
  const actual =
    verdict.kind === 'failed'
      ? `tries the whole batch again, because ${verdict.reason}`
      : verdict.kind === 'succeeded'
        ? 'goes on behind the batch'
        : `goes on at ${place(verdict.index)}`
  const check = (holds: boolean, expected: string, expectedIndex: number) => {
    if (holds) return
    throw new AssertionError({
      message: `Lambda ${actual}; expected: at ${expected}.`,
      actual: verdict.kind === 'stopped-at' ? verdict.index : verdict.kind,
      expected: expectedIndex,
      operator: 'expectCheckpoint',
      stackStartFn: check,
    })
  }
  return {
    at: (index) => check(verdict.kind === 'stopped-at' && verdict.index === index, place(index), index),
    atEnd: () => check(verdict.kind === 'succeeded', 'the end of the batch', records.length),
  }
}
