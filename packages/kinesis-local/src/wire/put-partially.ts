import type { Random } from '@org/kinesis-core'

interface PutRecordsResult {
  Records: unknown[]
  FailedRecordCount: number
}

/** Runs a PutRecords without a share of its entries, and answers for those as the service does for what it failed to store. */
export async function putPartially(
  input: Record<string, unknown>,
  fraction: number,
  random: Random,
  call: (input: Record<string, unknown>) => unknown,
): Promise<unknown> {
  const records = Array.isArray(input.Records) ? input.Records : []
  const isFailed = records.map(() => random() < fraction)
  const kept = records.filter((_, index) => !isFailed[index])
  if (kept.length === records.length) return call(input)
  const result =
    kept.length === 0
      ? { Records: [], FailedRecordCount: 0, EncryptionType: 'NONE' }
      : ((await call({ ...input, Records: kept })) as PutRecordsResult)
  const stored = result.Records.values()
  return {
    ...result,
    FailedRecordCount: result.FailedRecordCount + records.length - kept.length,
    Records: isFailed.map((failed) =>
      failed
        ? { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure (injected).' }
        : stored.next().value,
    ),
  }
}
