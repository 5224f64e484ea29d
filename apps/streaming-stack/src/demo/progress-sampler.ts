import type { GeneratorProcess } from './generator-process.js'
import { names, type Pipeline } from './pipeline.js'
import type { ProgressSnapshot } from './progress-view.js'

/** Records are stored in bursts, once a second: rates are over the last four seconds or a little more, so that the bursts even out. */
const RATE_WINDOW_MS = 4_000

export function progressSampler(
  pipeline: Pipeline,
  generator: GeneratorProcess,
  {
    startedAtMs,
    durationSeconds,
    stop,
  }: { startedAtMs: number; durationSeconds: number | undefined; stop: AbortSignal },
) {
  const history: { atMs: number; produced: number; stored: number }[] = []
  return (phase: ProgressSnapshot['phase']): ProgressSnapshot => {
    const atMs = Date.now()
    const { produced, acknowledged, failed, behind, readShare } = generator.progress
    const stored = pipeline.observer.firstWrites.size
    const rejected = pipeline.local.queueMessages(names.rejectedQueue).length
    history.push({ atMs, produced: acknowledged, stored })
    while (history.length > 2 && history[1]!.atMs <= atMs - RATE_WINDOW_MS) history.shift()
    const first = history[0]!
    const perSecond = (count: number) => (atMs === first.atMs ? 0 : (count * 1000) / (atMs - first.atMs))
    const processing = pipeline.processing.stats()
    return {
      elapsedMs: atMs - startedAtMs,
      totalMs: durationSeconds === undefined ? undefined : durationSeconds * 1000,
      readShare,
      phase,
      isStopped: stop.aborted,
      produced: acknowledged,
      producedPerSecond: perSecond(acknowledged - first.produced),
      behind,
      // A guess for who waits: a record that is rejected twice, or given up, is not counted as the account counts it.
      left: Math.max(0, produced - failed - stored - rejected),
      putFailures: failed,
      stored,
      storedPerSecond: perSecond(stored - first.stored),
      rejected,
      delivered: pipeline.delivery.stats().deliveredRecords,
      windowed: pipeline.windowing.stats().recordsResolved,
      lagMs: processing.lagMs,
      invocationErrors: processing.failedInvocations,
    }
  }
}
