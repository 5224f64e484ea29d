import { type PressureResult, runPressure } from './run-pressure.ts'
import { rounded, type SectionResult, type SectionSettings } from './section.ts'
import type { Sink } from './sink.ts'

const SHARDS = 16
const PROCESSES = 2
const OFFERED_SHARE = 1.5

/** Whether producers in different processes, which know nothing of each other, use a stream up and share it evenly. */
export async function measureSharing(
  sink: Sink,
  { quick, progress }: SectionSettings,
): Promise<SectionResult> {
  const measured = []
  for (const aggregation of [false, true]) {
    if (quick && aggregation) continue
    const mode = aggregation ? 'aggregated' : 'plain'
    progress(`${PROCESSES} processes, ${mode}`)
    const result = await runPressure(sink, {
      processes: PROCESSES,
      aggregation,
      shards: SHARDS,
      offeredShare: OFFERED_SHARE,
      warmUpMs: quick ? 4_000 : 15_000,
      durationMs: quick ? 6_000 : 25_000,
    })
    measured.push({ mode, ...result, difference: differenceOf(result) })
  }
  const [plain, aggregated] = measured
  return {
    figures: { shards: SHARDS, processes: PROCESSES, offeredShare: OFFERED_SHARE, measured },
    ratios: {
      sharingUsed: plain!.used,
      sharingDifference: plain!.difference,
      sharingUsedAggregated: aggregated?.used,
      sharingDifferenceAggregated: aggregated?.difference,
    },
    table: Object.fromEntries(
      measured.map((run) => [
        `${PROCESSES} processes, ${OFFERED_SHARE * 100} % offered, ${run.mode}`,
        {
          '% of the limit used': rounded(run.used * 100, 1),
          records: run.shares.map(({ delivered }) => delivered).join(' and '),
          '% difference': rounded(run.difference * 100, 1),
          '% of requests throttled': rounded(run.throttledRequestShare * 100, 1),
          '% of entries throttled': rounded(run.throttledEntryShare * 100, 1),
        },
      ]),
    ),
  }
}

/** Between the process that delivered most and the one that delivered least, over what each should have. */
function differenceOf({ shares }: PressureResult): number {
  const delivered = shares.map((share) => share.delivered)
  const fair = delivered.reduce((sum, count) => sum + count, 0) / delivered.length
  return (Math.max(...delivered) - Math.min(...delivered)) / fair
}
