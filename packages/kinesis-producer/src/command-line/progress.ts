import type { ErrorOutput } from './error-output.js'
import type { ProduceRun } from './produce-run.js'
import { progressLine } from './progress-line.js'

const REDRAW_MS = 200
/** Records are delivered in bursts: rates are over the last few seconds, so that they even out. */
const RATE_WINDOW_MS = 4_000

/** Redraws a line on the terminal until it is stopped. */
export function showProgress(run: ProduceRun, output: ErrorOutput): () => void {
  const history: { atMs: number; delivered: number }[] = []
  const timer = setInterval(() => {
    const summary = run.summary()
    const atMs = summary.seconds * 1_000
    history.push({ atMs, delivered: summary.delivered })
    while (history.length > 2 && history[1]!.atMs <= atMs - RATE_WINDOW_MS) history.shift()
    const first = history[0]!
    const windowSeconds = (atMs - first.atMs) / 1_000
    const deliveredPerSecond = windowSeconds === 0 ? 0 : (summary.delivered - first.delivered) / windowSeconds
    output.showProgress(progressLine({ ...summary, ...run.position(), deliveredPerSecond }, output.columns))
  }, REDRAW_MS)
  return () => {
    clearInterval(timer)
    output.clearProgress()
  }
}
