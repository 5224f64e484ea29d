import type { LambdaContext } from '@org/kinesis-core'
import type { SinkRecord } from '../sink.js'
import { timeLeft } from '../time-left.js'
import type { WindowAggregates } from '../windows/window-aggregate.js'
import { mergeWindowPartials, type WindowPartial } from '../windows/window-partial.js'
import { writeAll } from '../windows/write-all.js'
import { type Anomaly, detectAnomalies } from './detect-anomalies.js'
import {
  type ResolvedWindowAnomaliesOptions,
  resolveWindowAnomaliesOptions,
  type WindowAnomaliesOptions,
} from './window-anomalies-options.js'

/** What a run did. */
export interface AnomalyRun {
  /** Windows that end by then were judged, in milliseconds since the epoch. */
  judgedUntilMs: number
  windows: number
  anomalies: number
}

export type WindowAnomaliesHandler = (event: unknown, context: LambdaContext) => Promise<AnomalyRun>

/**
 * A Lambda handler for a schedule, once a window or so: it judges the windows that are complete since the last run, and raises what is unusual.
 *
 * The results themselves are the history, so that there is none to keep: every run reads it, merged over shards, early ends and late partials. A
 * schedule, because no partial says that it is the last of its window, and a key that falls silent sends none. Progress is saved after anomalies
 * are raised: a run that fails between raises them again, with the same `anomalyId`.
 *
 * @throws InvalidOptionError at once for options that cannot work
 */
export function windowAnomalies<A extends WindowAggregates<never>, F>(
  options: WindowAnomaliesOptions<A, F>,
): WindowAnomaliesHandler {
  const resolved = resolveWindowAnomaliesOptions(options)
  return async (_event, context) => {
    const leftMs = timeLeft(context, ANSWER_MARGIN_MS)
    const { clock, windowMs, settleMs, historyWindows, progress } = resolved
    const untilMs = Math.floor((clock.now() - settleMs) / windowMs) * windowMs
    let savedMs = await progress.load()
    // The first run has no past to make up for.
    const run = { judgedUntilMs: savedMs ?? untilMs - windowMs, windows: 0, anomalies: 0 }
    // After an outage in pieces, so that memory does not grow with its length.
    while (run.judgedUntilMs < untilMs && leftMs() > 0) {
      const fromMs = run.judgedUntilMs
      const toMs = Math.min(untilMs, fromMs + historyWindows * windowMs)
      const judged = await judge({ fromMs, toMs }, resolved, leftMs)
      await progress.save(toMs, savedMs)
      savedMs = toMs
      run.judgedUntilMs = toMs
      run.windows += judged.windows
      run.anomalies += judged.anomalies
    }
    return run
  }
}

/** Left of an invocation when nothing more is begun. */
const ANSWER_MARGIN_MS = 1_000

async function judge<A extends WindowAggregates<never>, F>(
  { fromMs, toMs }: { fromMs: number; toMs: number },
  options: ResolvedWindowAnomaliesOptions<A, F>,
  remainingMs: () => number,
): Promise<{ windows: number; anomalies: number }> {
  const { read, aggregates, detectors, historyWindows, windowMs } = options
  const partials: WindowPartial<A>[] = []
  for await (const partial of await read({ fromMs: fromMs - historyWindows * windowMs, toMs }))
    partials.push(partial)
  const windows = mergeWindowPartials(partials, aggregates)
  const anomalies = detectAnomalies(windows, { detectors, historyWindows, fromMs })
  const { raise: sink, onUnstorable: onRefused, clock, random } = options
  const { stored } = await writeAll(
    anomalies.map((value) => ({ value, position: positionOf(value) })),
    { sink, name: 'anomalies', onRefused, remainingMs, clock, random },
  )
  return { windows: windows.filter(({ windowStartMs }) => windowStartMs >= fromMs).length, anomalies: stored }
}

/** Anomalies come from no stream: those of a detector and key are a sequence of their own, in which windows follow one another. */
function positionOf<F>({ detector, key, windowStartMs }: Anomaly<F>): SinkRecord<unknown>['position'] {
  return {
    streamArn: '',
    streamName: '',
    shardId: `${detector}#${key}`,
    sequenceNumber: String(windowStartMs),
    subSequenceNumber: 0,
    partitionKey: key,
    arrivalMs: windowStartMs,
  }
}
