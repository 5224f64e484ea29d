import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'
import { requireFunction } from '../option-checks.js'
import type { RejectedRecord } from '../rejected-record.js'

/** Which rejected records are meant: those for which all holds that is given. Times are milliseconds since the epoch. */
export interface RejectedChoice {
  reasonCodes?: readonly string[]
  partitionKeys?: readonly string[]
  /** Of the stream that a record came from. */
  streamNames?: readonly string[]
  /** The stream took it then or later. */
  arrivedFromMs?: number
  arrivedBeforeMs?: number
  /** It was rejected then or later. */
  rejectedFromMs?: number
  rejectedBeforeMs?: number
  where?: (record: RejectedRecord) => boolean
}

const KNOWN = [
  'reasonCodes',
  'partitionKeys',
  'streamNames',
  'arrivedFromMs',
  'arrivedBeforeMs',
  'rejectedFromMs',
  'rejectedBeforeMs',
  'where',
] as const satisfies (keyof RejectedChoice)[]

/**
 * A choice as a function.
 *
 * @throws InvalidOptionError for a choice that cannot be meant
 */
export function rejectedFilter(choice: RejectedChoice = {}): (record: RejectedRecord) => boolean {
  refuseUnknownOptions(choice, KNOWN)
  const { where = () => true } = choice
  requireFunction('where', where, 'Pass a function from a rejected record to true or false, or leave it out.')
  const isReason = oneOf('reasonCodes', choice.reasonCodes)
  const isKey = oneOf('partitionKeys', choice.partitionKeys)
  const isStream = oneOf('streamNames', choice.streamNames)
  const hasArrived = within('arrived', choice.arrivedFromMs, choice.arrivedBeforeMs)
  const wasRejected = within('rejected', choice.rejectedFromMs, choice.rejectedBeforeMs)
  return (record) =>
    isReason(record.reasonCode) &&
    isKey(record.partitionKey) &&
    isStream(record.streamName) &&
    hasArrived(record.arrivalMs) &&
    wasRejected(Date.parse(record.rejectedTime)) &&
    where(record)
}

function oneOf(option: string, values: readonly string[] | undefined): (value: string) => boolean {
  if (values === undefined) return () => true
  if (!Array.isArray(values) || values.length === 0 || !values.every((value) => typeof value === 'string')) {
    throw new InvalidOptionError(option, values, 'Give a list of at least one text, or leave it out.')
  }
  const chosen = new Set(values)
  return (value) => chosen.has(value)
}

function within(
  what: 'arrived' | 'rejected',
  fromMs: number | undefined,
  beforeMs: number | undefined,
): (ms: number) => boolean {
  for (const [option, ms] of [
    [`${what}FromMs`, fromMs],
    [`${what}BeforeMs`, beforeMs],
  ] as const) {
    if (ms === undefined || Number.isFinite(ms)) continue
    throw new InvalidOptionError(option, ms, 'Give milliseconds since the epoch, or leave it out.')
  }
  const { from = Number.NEGATIVE_INFINITY, before = Number.POSITIVE_INFINITY } = {
    from: fromMs,
    before: beforeMs,
  }
  if (from >= before) {
    throw new InvalidOptionError(
      `${what}FromMs`,
      from,
      `It must be before ${what}BeforeMs, which is ${before}.`,
    )
  }
  // A time that cannot be read, which only a broken clock writes, is never out of range: the record could not be reached otherwise.
  return (ms) => !(ms < from || ms >= before)
}
