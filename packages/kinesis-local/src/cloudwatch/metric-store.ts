import type { MetricUnit } from '@org/kinesis-core'
import type { MetricDatum, MetricSink } from '../service.js'
import { readEmf } from './emf.js'

/** What CloudWatch keeps of a period. */
export interface StatisticSet {
  sum: number
  count: number
  minimum: number
  maximum: number
}

export interface Series {
  namespace: string
  name: string
  dimensions: Readonly<Record<string, string>>
  unit: MetricUnit
  /** By second of the epoch, in the order of arrival. */
  seconds: Map<number, StatisticSet>
}

const RETENTION_SECONDS = 3 * 3_600
/** Seconds of all series together, some 50 MB: three hours of the metrics of about fifty streams. */
const MAX_SECONDS = 500_000

/**
 * Metrics in memory, a second apart: three hours of them, as CloudWatch keeps high-resolution metrics, and less where there are so many
 * that memory would grow.
 */
export class MetricStore implements MetricSink {
  readonly #series = new Map<string, Series>()
  #secondCount = 0

  put(datum: MetricDatum): void {
    const { value, timestampMs } = datum
    this.add(datum, timestampMs, { sum: value, count: 1, minimum: value, maximum: value })
  }

  /** Adds what may be many values at once. */
  add(metric: Omit<MetricDatum, 'value' | 'timestampMs'>, timestampMs: number, values: StatisticSet): void {
    const series = this.#seriesOf(metric)
    const second = Math.floor(timestampMs / 1000)
    const known = series.seconds.get(second)
    if (known === undefined) {
      series.seconds.set(second, { ...values })
      this.#secondCount += 1
      if (series.seconds.size > RETENTION_SECONDS * 1.1) this.#forget(series, second - RETENTION_SECONDS)
      if (this.#secondCount > MAX_SECONDS) this.#forgetOldest()
      return
    }
    known.sum += values.sum
    known.count += values.count
    known.minimum = Math.min(known.minimum, values.minimum)
    known.maximum = Math.max(known.maximum, values.maximum)
  }

  /** Takes the metrics of a line in CloudWatch's embedded metric format; false where the line is none. */
  ingestEmf(line: string, atMs: number): boolean {
    const data = readEmf(line, atMs)
    if (data === undefined) return false
    for (const datum of data) this.put(datum)
    return true
  }

  /** The series with exactly these dimensions: CloudWatch takes any other set for another metric. */
  series(namespace: string, name: string, dimensions: Readonly<Record<string, string>>): Series | undefined {
    return this.#series.get(keyOf(namespace, name, dimensions))
  }

  get all(): IterableIterator<Series> {
    return this.#series.values()
  }

  /** Data points of whole periods that begin in [from, to), oldest first; periods without data are absent. */
  query(
    series: Series,
    fromMs: number,
    toMs: number,
    periodSeconds: number,
    /** Where periods are counted from. */
    originSeconds = 0,
  ): { atMs: number; values: StatisticSet }[] {
    const periods = new Map<number, StatisticSet>()
    const startOf = (second: number) =>
      Math.floor((second - originSeconds) / periodSeconds) * periodSeconds + originSeconds
    const first = startOf(fromMs / 1000)
    for (const [second, values] of series.seconds) {
      if (second < first || second * 1000 >= toMs) continue
      const start = startOf(second)
      const known = periods.get(start)
      if (known === undefined) periods.set(start, { ...values })
      else {
        known.sum += values.sum
        known.count += values.count
        known.minimum = Math.min(known.minimum, values.minimum)
        known.maximum = Math.max(known.maximum, values.maximum)
      }
    }
    return [...periods].sort(([a], [b]) => a - b).map(([second, values]) => ({ atMs: second * 1000, values }))
  }

  #seriesOf({ namespace, name, dimensions, unit }: Omit<MetricDatum, 'value' | 'timestampMs'>): Series {
    const key = keyOf(namespace, name, dimensions)
    let series = this.#series.get(key)
    if (series === undefined) {
      series = { namespace, name, dimensions, unit, seconds: new Map() }
      this.#series.set(key, series)
    }
    return series
  }

  /** Down to three quarters of the bound, so that it is not done for every datum; series without data go altogether. */
  #forgetOldest(): void {
    while (this.#secondCount > MAX_SECONDS * 0.75) {
      let oldest = Number.POSITIVE_INFINITY
      let newest = Number.NEGATIVE_INFINITY
      for (const { seconds } of this.#series.values()) {
        for (const second of seconds.keys()) {
          if (second < oldest) oldest = second
          if (second > newest) newest = second
        }
      }
      // At least one second goes in every round, the newest as the last.
      const cut = Math.max(oldest + 1, Math.floor(oldest + (newest - oldest) / 8))
      for (const [key, series] of this.#series) {
        this.#forget(series, cut)
        if (series.seconds.size === 0) this.#series.delete(key)
      }
    }
  }

  #forget(series: Series, before: number): void {
    for (const second of series.seconds.keys()) {
      if (second >= before) continue
      series.seconds.delete(second)
      this.#secondCount -= 1
    }
  }
}

function keyOf(namespace: string, name: string, dimensions: Readonly<Record<string, string>>): string {
  const names = Object.keys(dimensions)
  if (names.length > 1) names.sort()
  let key = `${namespace}\n${name}`
  for (const dimension of names) key += `\n${dimension}\n${dimensions[dimension]}`
  return key
}
