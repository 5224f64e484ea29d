import { isPermanent } from '../errors.js'
import { heldBack, type SinkRecord, type SinkResult } from '../sink.js'

/** What a record becomes in a request. */
export interface PlannedWrite {
  /** Place in the records that the sink was given. */
  index: number
  /** Writes of one key are sent in their order, and none behind one that failed. */
  partitionKey: string
}

/**
 * The writes of these records. What the target can never hold gets its result at once, so that it poisons no request; a write that could
 * not be made for another reason holds back what follows it in its partition key.
 */
export function planWrites<T, W extends PlannedWrite>(
  records: readonly SinkRecord<T>[],
  plan: (record: SinkRecord<T>, index: number) => W,
  results: SinkResult[],
): W[] {
  const planned: W[] = []
  const held = new Map<string, SinkResult>()
  for (const [index, record] of records.entries()) {
    const { partitionKey } = record.position
    const behind = held.get(partitionKey)
    if (behind !== undefined) {
      results[index] = behind
      continue
    }
    try {
      planned.push(plan(record, index))
    } catch (error) {
      results[index] = { stored: false, error }
      if (!isPermanent(error)) held.set(partitionKey, heldBack(error))
    }
  }
  return planned
}
