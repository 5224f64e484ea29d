import type { RunPosition } from './produce-run.js'
import { byteText, count, type ProduceSummary } from './summary.js'

export type ProgressSnapshot = RunPosition &
  Pick<
    ProduceSummary,
    'seconds' | 'delivered' | 'deliveredPerSecond' | 'bytes' | 'unsettled' | 'failed' | 'refused'
  >

const BAR_WIDTH = 20

/** One line, no wider than the terminal. */
export function progressLine(snapshot: ProgressSnapshot, columns: number): string {
  const { delivered, deliveredPerSecond, bytes, unsettled, failed, refused } = snapshot
  const line = [
    positionText(snapshot),
    `${count(delivered)} delivered`,
    `${count(Math.round(deliveredPerSecond))}/s`,
    byteText(bytes),
    `${count(unsettled)} in flight`,
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
    ...(refused > 0 ? [`${count(refused)} refused`] : []),
  ].join('  ')
  // A line that wraps cannot be redrawn in place.
  return line.slice(0, Math.max(0, columns - 1))
}

function positionText({ seconds, doneShare, phase, isInterrupted }: ProgressSnapshot): string {
  if (isInterrupted) return 'draining, Ctrl-C again gives up'
  if (doneShare === undefined) return phase === 'draining' ? 'draining' : durationText(seconds)
  const share = Math.min(1, doneShare)
  const filled = Math.round(BAR_WIDTH * share)
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${Math.floor(100 * share)}%`
  // Before the first seconds are over it would be a guess.
  if (seconds < 2 || share === 0) return bar
  return `${bar}  ${durationText((seconds * (1 - share)) / share)} left`
}

function durationText(exactSeconds: number): string {
  const seconds = Math.round(exactSeconds)
  if (seconds < 100) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
