import { InvalidOptionError } from '@org/kinesis-core'

/**
 * How much of its rate a shard that rested takes at once. AWS documents it for bytes alone: a stream "can burst up to 10 MiB while
 * averaging 1 MiB per second", to accommodate large records (developer guide, "Handle large records"): that is `bytesMs: 10_000`. The
 * default is stricter, so that what gets through here gets through there; a record above it is let in when the shard has rested long
 * enough for all of `bytesMs`, and the shard pays for it afterwards.
 */
export interface WriteBurst {
  /** Milliseconds of 1,000 records per second, 1 to 60,000. @default 1000 */
  recordsMs?: number
  /** Milliseconds of 1 MiB per second, 1 to 60,000. @default 1000 */
  bytesMs?: number
}

const MAX_BURST_MS = 60_000

export function resolveWriteBurst({ recordsMs = 1_000, bytesMs = 1_000 }: WriteBurst): Required<WriteBurst> {
  for (const [name, value] of Object.entries({ recordsMs, bytesMs })) {
    if (Number.isFinite(value) && value >= 1 && value <= MAX_BURST_MS) continue
    throw new InvalidOptionError(`writeBurst.${name}`, value, `Give milliseconds from 1 to ${MAX_BURST_MS}.`)
  }
  return { recordsMs, bytesMs }
}
