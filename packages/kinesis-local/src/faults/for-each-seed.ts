import { InvalidOptionError } from '@org/kinesis-core'

export interface SeedCampaign {
  /** How many seeds. The environment's `SEED` runs that one alone. */
  count: number
  /** @default 1 */
  first?: number
  /** The one command that runs a seed again, without its `SEED=...`. */
  command: string
}

/** Runs a test once for each seed, one after the other, and stops at the first that fails: its error says how to replay it. */
export async function forEachSeed(
  { count, first = 1, command }: SeedCampaign,
  test: (seed: number) => Promise<void> | void,
): Promise<void> {
  const only = process.env.SEED
  const begin = only === undefined ? first : Number(only)
  if (!Number.isSafeInteger(begin)) throw new InvalidOptionError('SEED', only, 'Give a whole number.')
  const end = only === undefined ? first + count : begin + 1
  for (let seed = begin; seed < end; seed += 1) {
    try {
      await test(seed)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`Seed ${seed} failed: ${why}\nReplay it alone: SEED=${seed} ${command}`, { cause })
    }
  }
}
