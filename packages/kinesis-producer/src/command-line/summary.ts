import { printable } from './printable.js'

/** What became of the input. `read` is `delivered + failed + refused + unsettled`, and in a dry run `refused` and what would be sent. */
export interface ProduceSummary {
  /** Lines or rows, without the empty ones that are passed over. */
  read: number
  delivered: number
  /** Taken by the producer, and not delivered. */
  failed: number
  /** Bad input: nothing of it was sent. */
  refused: number
  /** On their way when it was ended at once: they may be in the stream. */
  unsettled: number
  /** Data of all records that were not refused, without their keys. */
  bytes: number
  seconds: number
  deliveredPerSecond: number
  requests: number
  /** Attempts that the service throttled, summed over records. */
  throttled: number
  interrupted: boolean
  dryRun: boolean
  /** Why reading ended before the input did, unless it was interrupted. */
  error?: string
}

export function summaryJson(summary: ProduceSummary): string {
  return JSON.stringify({
    ...summary,
    seconds: round(summary.seconds, 3),
    deliveredPerSecond: round(summary.deliveredPerSecond, 1),
    ...(summary.error === undefined ? {} : { error: printable(summary.error) }),
  })
}

export function summaryText(summary: ProduceSummary): string {
  const { read, delivered, failed, refused, unsettled, bytes, seconds, requests, throttled } = summary
  const counts = summary.dryRun
    ? [`${count(read)} read`, `${count(read - refused)} would be sent`, `${count(refused)} refused`]
    : [
        `${count(read)} read`,
        `${count(delivered)} delivered`,
        `${count(failed)} failed`,
        `${count(refused)} refused`,
        ...(unsettled > 0 ? [`${count(unsettled)} not settled`] : []),
      ]
  const cost = summary.dryRun
    ? []
    : [
        `${count(Math.round(summary.deliveredPerSecond))} records/s`,
        `${count(requests)} requests`,
        `${count(throttled)} throttled`,
      ]
  return [
    ...(summary.interrupted ? ['interrupted'] : []),
    counts.join(', '),
    [`${byteText(bytes)} in ${seconds.toFixed(1)} s`, ...cost].join(', '),
  ].join('\n')
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

export function byteText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power]}`
}

/** As the command's help tells it. */
export function exitStatus({ interrupted, failed, refused, unsettled, error }: ProduceSummary): number {
  if (interrupted) return 130
  return failed + refused + unsettled > 0 || error !== undefined ? 1 : 0
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
