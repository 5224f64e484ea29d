import type { Latency, LatencyTask } from './loads/latency.ts'
import { rounded, type SectionResult, type SectionSettings } from './section.ts'
import type { Sink } from './sink.ts'

const SERVICE_MS = 10
const LINGER_MS = 20
const RATES = [5_000, 20_000, 80_000]
/** Twice what the highest rate needs: no shard is near its limit. */
const SHARDS = { aggregated: 48, plain: 160 }
const ROUNDS = 3

/**
 * How long a record takes from `put` to its receipt, on true time. Of the rounds the one counts in which the load came least late: in the
 * others the machine was busier with other things.
 */
export async function measureLatency(sink: Sink, settings: SectionSettings): Promise<SectionResult> {
  const { quick, profileFolder, progress } = settings
  const measured = []
  for (const mode of ['aggregated', 'plain'] as const) {
    for (const perSecond of RATES) {
      progress(`${perSecond} records/s, ${mode}`)
      await sink.tell({ reset: { shards: SHARDS[mode], serviceMs: SERVICE_MS, limits: false } })
      const task: LatencyTask = {
        load: 'latency',
        aggregation: mode === 'aggregated',
        lingerMs: LINGER_MS,
        perSecond,
        warmUpMs: quick ? 500 : 2_000,
        rounds: quick ? 1 : ROUNDS,
        durationMs: quick ? 1_000 : 3_000,
      }
      const process = sink.start(new URL('./loads/run.ts', import.meta.url), task, profileFolder)
      const rounds = await process.answer<Latency[]>()
      await process.ended
      const quietest = rounds.reduce((best, round) => (round.lateMs < best.lateMs ? round : best))
      measured.push({ mode, perSecond, ...quietest, rounds })
    }
  }
  return {
    figures: { serviceMs: SERVICE_MS, lingerMs: LINGER_MS, shards: SHARDS, measured },
    ratios: Object.fromEntries(
      measured.map(({ mode, perSecond, p99Ms }) => [
        `p99Ms${perSecond}${mode === 'plain' ? 'Plain' : ''}`,
        p99Ms,
      ]),
    ),
    table: Object.fromEntries(
      measured.map((run) => [
        `${run.perSecond} records/s, ${run.mode}`,
        {
          'p50 ms': rounded(run.p50Ms, 1),
          'p99 ms': rounded(run.p99Ms, 1),
          'max ms': rounded(run.maxMs, 1),
          'load late by ms': rounded(run.lateMs, 1),
          'CPU share': rounded(run.cpuShare, 2),
        },
      ]),
    ),
  }
}
