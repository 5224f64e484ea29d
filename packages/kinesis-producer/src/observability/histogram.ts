/** A distribution of values, as `metrics()` tells it. Percentiles are exact for whole numbers up to 8, and elsewhere within a quarter. */
export interface Distribution {
  count: number
  sum: number
  max: number
  p50: number
  p90: number
  p99: number
  /** Those that hold something, in order. Their ends never change, so what came between two snapshots is the difference of the counts. */
  buckets: readonly DistributionBucket[]
}

export interface DistributionBucket {
  /** Included. */
  from: number
  /** Excluded. */
  below: number
  count: number
}

/** What is more is counted as this: in milliseconds six days. */
const MOST = 2 ** 29
const STARTS = Array.from({ length: 123 }, (_, bucket) => startOf(bucket))

/**
 * Counts values in buckets of fixed, logarithmic sizes: below 1, then four for every power of two, so that whole numbers up to 8 have one
 * each. To add a value is a few instructions, and allocates nothing once its bucket is there.
 */
export class Histogram {
  count = 0
  sum = 0
  max = 0
  /** As long as the highest value needs: most are short, and a producer may keep thousands. */
  readonly #counts: number[] = []

  add(measured: number, weight = 1): void {
    // A clock that was set back, or is none, must not spoil the sum.
    const value = Number.isNaN(measured) ? 0 : Math.max(0, measured)
    const bucket = bucketOf(value)
    this.count += weight
    this.sum += value * weight
    if (value > this.max) this.max = value
    while (this.#counts.length <= bucket) this.#counts.push(0)
    this.#counts[bucket]! += weight
  }

  merge(other: Histogram): void {
    this.count += other.count
    this.sum += other.sum
    this.max = Math.max(this.max, other.max)
    const counts = other.#counts
    for (let bucket = 0; bucket < counts.length; bucket++) {
      if (this.#counts.length <= bucket) this.#counts.push(0)
      this.#counts[bucket]! += counts[bucket]!
    }
  }

  distribution(): Distribution {
    const { count, sum, max } = this
    const buckets: DistributionBucket[] = []
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      const inIt = this.#counts[bucket]!
      if (inIt > 0) buckets.push({ from: STARTS[bucket]!, below: STARTS[bucket + 1]!, count: inIt })
    }
    const at = (share: number) => Math.min(max, percentile(buckets, share))
    return { count, sum, max, p50: at(0.5), p90: at(0.9), p99: at(0.99), buckets }
  }
}

/** What a share (0 to 1) of all values does not exceed: the whole number that their bucket stands for, or else its upper end. */
export function percentile(buckets: readonly DistributionBucket[], share: number): number {
  let rest = Math.ceil(totalOf(buckets) * share)
  for (const { from, below, count } of buckets) {
    rest -= count
    const whole = Math.ceil(from)
    if (rest <= 0) return whole < below && whole + 1 >= below ? whole : below
  }
  return 0
}

function totalOf(buckets: readonly DistributionBucket[]): number {
  let total = 0
  for (const { count } of buckets) total += count
  return total
}

/** What came into a distribution since an earlier snapshot of it. */
export function bucketsSince(
  now: readonly DistributionBucket[],
  before: readonly DistributionBucket[] = [],
): DistributionBucket[] {
  const counts = new Map(before.map(({ below, count }) => [below, count]))
  return now
    .map(({ from, below, count }) => ({ from, below, count: count - (counts.get(below) ?? 0) }))
    .filter(({ count }) => count > 0)
}

function bucketOf(value: number): number {
  if (value < 1) return 0
  // In whole quarters the first three bits say it all.
  const quarters = (Math.min(value, MOST) * 4) >>> 0
  const exponent = 29 - Math.clz32(quarters)
  return 1 + exponent * 4 + ((quarters >>> exponent) & 3)
}

function startOf(bucket: number): number {
  if (bucket === 0) return 0
  const exponent = (bucket - 1) >> 2
  return 2 ** exponent * (1 + ((bucket - 1) & 3) / 4)
}
