/** How far a batch got. */
export type BatchVerdict =
  | { kind: 'succeeded' }
  /** Everything before `index` is resolved; the record at `index` and all behind it are tried again. */
  | { kind: 'stopped-at'; index: number }
  | { kind: 'failed'; reason: string }

/**
 * Reads a response as Lambda does where the mapping reports batch item failures (developer guide, "Configuring partial batch
 * response with Kinesis"): the lowest sequence number reported is a checkpoint, no response or an empty list is full success,
 * and an identifier that is empty or names no record of the batch fails the whole batch.
 */
export function readBatchResponse(
  response: unknown,
  records: readonly { sequenceNumber: string }[],
): BatchVerdict {
  if (response === null || response === undefined) return { kind: 'succeeded' }
  if (typeof response !== 'object' || Array.isArray(response)) return failed('the response is no object')
  const failures = (response as { batchItemFailures?: unknown }).batchItemFailures
  if (failures === null || failures === undefined) return { kind: 'succeeded' }
  if (!Array.isArray(failures)) return failed('batchItemFailures is no list')
  if (failures.length === 0) return { kind: 'succeeded' }

  // Members of an aggregate share a number, which then stands for the first of them. Backwards, so that the first one stays.
  const positions = new Map(records.map((record, index) => [record.sequenceNumber, index] as const).reverse())
  let lowest = records.length
  for (const failure of failures as unknown[]) {
    const identifier =
      typeof failure === 'object' && failure !== null
        ? (failure as { itemIdentifier?: unknown }).itemIdentifier
        : undefined
    if (typeof identifier !== 'string' || identifier === '') return failed('an itemIdentifier is missing')
    const index = positions.get(identifier)
    if (index === undefined) return failed('an itemIdentifier names no record of the batch')
    lowest = Math.min(lowest, index)
  }
  return { kind: 'stopped-at', index: lowest }
}

function failed(reason: string): BatchVerdict {
  return { kind: 'failed', reason }
}
