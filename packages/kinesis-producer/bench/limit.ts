import { type PressureOptions, type PressureResult, runPressure } from './run-pressure.ts'
import { rounded, type SectionResult, type SectionSettings } from './section.ts'
import type { Sink } from './sink.ts'

const SHARDS = 16

/** Whether a producer keeps to the limits of its shards, and uses them, on true time. */
export async function measureLimit(sink: Sink, { quick, progress }: SectionSettings): Promise<SectionResult> {
  const measured: (PressureResult & Pick<PressureOptions, 'aggregation' | 'offeredShare'>)[] = []
  for (const aggregation of [false, true]) {
    if (quick && aggregation) continue
    for (const offeredShare of [0.95, 1.5]) {
      progress(`${offeredShare * 100} % of the limit, ${aggregation ? 'aggregated' : 'plain'}`)
      const result = await runPressure(sink, {
        processes: 1,
        aggregation,
        shards: SHARDS,
        offeredShare,
        warmUpMs: quick ? 2_500 : 5_000,
        durationMs: quick ? 2_000 : 12_000,
      })
      measured.push({ aggregation, offeredShare, ...result })
    }
  }
  const [plainBelow, plainAbove, aggregatedBelow, aggregatedAbove] = measured
  return {
    figures: { shards: SHARDS, measured },
    ratios: {
      limitThrottledShare: plainBelow!.throttledRequestShare,
      limitUsed: plainAbove!.used,
      limitThrottledShareAggregated: aggregatedBelow?.throttledRequestShare,
      limitUsedAggregated: aggregatedAbove?.used,
    },
    table: Object.fromEntries(
      measured.map((run) => [
        `${Math.round(run.offeredShare * 100)} % offered, ${run.aggregation ? 'aggregated' : 'plain'}`,
        {
          '% of the limit used': rounded(run.used * 100, 1),
          '% of requests throttled': rounded(run.throttledRequestShare * 100, 2),
          '% of entries throttled': rounded(run.throttledEntryShare * 100, 2),
        },
      ]),
    ),
  }
}
