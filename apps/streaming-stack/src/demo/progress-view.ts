import { styleText } from 'node:util'

/** The pipeline at one moment. Counters are totals; rates are of the last interval. */
export interface ProgressSnapshot {
  elapsedMs: number
  /** Known only where the run has an end. */
  totalMs: number | undefined
  /** Of a file that is replayed, 0 to 1; known only where it has an end. */
  readShare: number | undefined
  phase: 'running' | 'draining'
  /** Whether Ctrl-C was pressed: what has come to its end by itself drains too. */
  isStopped: boolean
  produced: number
  producedPerSecond: number
  behind: number
  /** Put, and neither stored nor rejected yet. */
  left: number
  putFailures: number
  stored: number
  storedPerSecond: number
  rejected: number
  delivered: number
  /** Records that the windows have taken in; their results come when a window ends. */
  windowed: number
  lagMs: number
  invocationErrors: number
}

/** One line, for logs and pipes. */
export function progressLine(snapshot: ProgressSnapshot): string {
  const s = snapshot
  return [
    `${seconds(s.elapsedMs)}${s.totalMs === undefined ? '' : `/${seconds(s.totalMs)}`}`,
    s.phase === 'draining' ? drainingText(s) : undefined,
    s.readShare === undefined ? undefined : `read ${percent(s.readShare)}`,
    `produced ${count(s.produced)} (${rate(s.producedPerSecond)})`,
    `stored ${count(s.stored)} (${rate(s.storedPerSecond)})`,
    `rejected ${count(s.rejected)}`,
    `delivered ${count(s.delivered)}`,
    `lag ${seconds(s.lagMs)}`,
    `errors ${count(s.invocationErrors + s.putFailures)}`,
    s.behind > 0 ? `behind ${count(s.behind)}` : undefined,
  ]
    .filter((part) => part !== undefined)
    .join('  ')
}

/** A few lines for a terminal, redrawn in place. */
export function progressBlock(snapshot: ProgressSnapshot, columns: number): string {
  const s = snapshot
  const label = (text: string) => styleText('dim', text.padEnd(11))
  const errors = s.invocationErrors + s.putFailures
  return [
    progressBar(s, columns),
    `${label('generator')}${rate(s.producedPerSecond).padStart(11)}   ${count(s.produced)} events put${
      s.behind > 0 ? styleText('yellow', `, ${count(s.behind)} behind`) : ''
    }`,
    `${label('processor')}${rate(s.storedPerSecond).padStart(11)}   ${count(s.stored)} stored, ${count(s.rejected)} rejected, lag ${seconds(s.lagMs)}`,
    `${label('lake')}${''.padStart(11)}   ${count(s.delivered)} delivered`,
    `${label('windows')}${''.padStart(11)}   ${count(s.windowed)} taken in`,
    `${label('errors')}${''.padStart(11)}   ${errors === 0 ? 'none' : styleText('yellow', count(errors))}`,
  ].join('\n')
}

function drainingText({ left, isStopped }: ProgressSnapshot): string {
  return `draining, ${count(left)} left; Ctrl-C ${isStopped ? 'again' : 'twice'} ends at once`
}

function progressBar(snapshot: ProgressSnapshot, columns: number): string {
  const { elapsedMs, totalMs, readShare, phase } = snapshot
  if (phase === 'draining') return styleText('cyan', `${seconds(elapsedMs)}   ${drainingText(snapshot)}`)
  // A file that is replayed for so long ends with whichever ends first.
  const shares = [totalMs === undefined ? undefined : elapsedMs / totalMs, readShare].filter(
    (share) => share !== undefined,
  )
  if (shares.length === 0)
    return styleText('cyan', `${seconds(elapsedMs)}   Ctrl-C drains and prints the account`)
  const width = Math.max(10, Math.min(40, columns - 24))
  const filled = Math.round(width * Math.min(1, Math.max(...shares)))
  const progress =
    totalMs === undefined
      ? `${seconds(elapsedMs)}, ${percent(readShare!)} of the file`
      : `${seconds(elapsedMs)} of ${seconds(totalMs)}`
  return `${styleText('cyan', '█'.repeat(filled))}${styleText('dim', '░'.repeat(width - filled))}  ${progress}`
}

function percent(share: number): string {
  return `${Math.floor(100 * Math.min(1, share))}%`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 100_000 ? 1 : 0)} s`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function rate(perSecond: number): string {
  return `${perSecond.toFixed(perSecond < 1_000 ? 1 : 0)} ev/s`
}
