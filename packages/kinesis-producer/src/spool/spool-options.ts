import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'

const MiB = 1024 * 1024

export interface SpoolOptions {
  /**
   * A directory of this producer's own, on a disk of this machine; it is made, for this user alone, where there is none. One process
   * may have it at a time.
   */
  directory: string
  /**
   * When the disk is told to keep what was written. A process that is killed loses nothing with any of them; they differ in what a
   * machine that fails may lose. `'always'`: nothing, and each append waits for the disk. `'interval'`: the last `fsyncIntervalMs`.
   * `'never'`: what the operating system had not yet written by itself. @default 'interval'
   */
  fsync?: 'always' | 'interval' | 'never'
  /**
   * How long appends wait for their sync with `'interval'`, and settled positions for being written down with any, in milliseconds,
   * 1 to 60,000. @default 100
   */
  fsyncIntervalMs?: number
  /**
   * Size of all segments and of what is noted of them, in bytes. A record that does not fit is refused with `SPOOL_FULL`, until a
   * whole segment has settled. @default 1 GiB
   */
  maxBytes?: number
  /** Size of a segment, in bytes, 4 KiB to 256 MiB: what is read, and what is deleted, at a time. @default 16 MiB */
  segmentBytes?: number
}

export type ResolvedSpoolOptions = Required<SpoolOptions>

/** As a record, so that the compiler asks for an option that is missing here. */
const KNOWN: Record<keyof SpoolOptions, true> = {
  directory: true,
  fsync: true,
  fsyncIntervalMs: true,
  maxBytes: true,
  segmentBytes: true,
}

const POLICIES = ['always', 'interval', 'never'] as const

export function resolveSpoolOptions(options: SpoolOptions): ResolvedSpoolOptions {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError('spool', options, 'Pass at least { directory }.')
  }
  refuseUnknownOptions(options, Object.keys(KNOWN))
  const { directory, fsync = 'interval' } = options
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw new InvalidOptionError('spool.directory', directory, 'Pass the path of a directory.')
  }
  if (!POLICIES.includes(fsync)) {
    throw new InvalidOptionError('spool.fsync', fsync, "Use 'always', 'interval' or 'never'.")
  }
  const maxBytes = integer(options, 'maxBytes', 1024 * MiB, 4_096, Number.MAX_SAFE_INTEGER)
  const segmentBytes = integer(options, 'segmentBytes', Math.min(16 * MiB, maxBytes), 4_096, 256 * MiB)
  if (segmentBytes > maxBytes) {
    throw new InvalidOptionError(
      'spool.maxBytes',
      maxBytes,
      `A segment must fit: use at least segmentBytes (${segmentBytes}), or lower segmentBytes.`,
    )
  }
  return {
    directory,
    fsync,
    fsyncIntervalMs: integer(options, 'fsyncIntervalMs', 100, 1, 60_000),
    maxBytes,
    segmentBytes,
  }
}

function integer(
  options: SpoolOptions,
  name: 'fsyncIntervalMs' | 'maxBytes' | 'segmentBytes',
  fallback: number,
  least: number,
  most: number,
): number {
  const value = options[name]
  if (value === undefined) return fallback
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new InvalidOptionError(`spool.${name}`, value, `Use a whole number from ${least} to ${most}.`)
  }
  return value
}
