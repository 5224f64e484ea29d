import type { Random } from '@org/kinesis-core'

interface PutRecordsResult {
  Records: unknown[]
  FailedRecordCount: number
}

interface FailedEntry {
  ErrorCode: string
  ErrorMessage: string
}

/** Runs a PutRecords without the entries that `fail` gives an error for, and answers for those as the service does for what it failed to store. */
export async function putPartially(
  input: Record<string, unknown>,
  call: (input: Record<string, unknown>) => unknown,
  fail: (record: unknown) => FailedEntry | undefined,
): Promise<unknown> {
  const records = Array.isArray(input.Records) ? input.Records : []
  const failures = records.map(fail)
  const kept = records.filter((_, index) => failures[index] === undefined)
  if (kept.length === records.length) return call(input)
  const result =
    kept.length === 0
      ? { Records: [], FailedRecordCount: 0, EncryptionType: 'NONE' }
      : ((await call({ ...input, Records: kept })) as PutRecordsResult)
  const stored = result.Records.values()
  return {
    ...result,
    FailedRecordCount: result.FailedRecordCount + records.length - kept.length,
    Records: failures.map((failure) => failure ?? stored.next().value),
  }
}

/** The answer to a PutRecords with one entry twice, or one left out. */
export function miscount(result: unknown, change: 1 | -1, random: Random): unknown {
  const { Records, ...rest } = result as PutRecordsResult
  const at = Math.floor(random() * Records.length)
  return {
    ...rest,
    Records: Records.toSpliced(at, change === 1 ? 0 : 1, ...(change === 1 ? [Records[at]] : [])),
  }
}
