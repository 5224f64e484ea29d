import { median } from '../../../bench/statistics.ts'
import { type Measured, runSide } from './run-side.ts'
import { rounded, type SectionResult, type SectionSettings } from './section.ts'
import type { Sink } from './sink.ts'

const FEW = 16
const MANY = 4_096

/** Some seconds of work each. */
const MEASURED = [
  { side: 'plain', title: 'plain; objects', records: 200_000 },
  { side: 'bytes', title: 'aggregated; bytes', records: 300_000 },
] as const

/** What a record costs in a stream of very many shards, over what it costs in a small one: taken within each round, and the median counts. */
export async function measureShards(sink: Sink, settings: SectionSettings): Promise<SectionResult> {
  const { quick, profileFolder, progress } = settings
  const rounds = Math.min(settings.rounds, 3)
  const figures: Record<string, { few: Measured; many: Measured }[]> = {}
  for (let round = 0; round < rounds; round++) {
    for (const { side, records } of MEASURED) {
      const task = {
        side,
        warmUpRecords: quick ? 50_000 : 100_000,
        records: quick ? records / 2 : records,
      }
      const measured: Measured[] = []
      for (const shards of [FEW, MANY]) {
        progress(`round ${round + 1} of ${rounds}: ${side}, ${shards} shards`)
        await sink.tell({ reset: { shards, serviceMs: 0, limits: false } })
        measured.push(await runSide(sink, task, profileFolder))
      }
      const [few, many] = measured
      figures[side] = [...(figures[side] ?? []), { few: few!, many: many! }]
    }
  }
  const summaries = MEASURED.map(({ side, title }) => {
    const runs = figures[side]!
    const cost = (of: 'few' | 'many') => median(runs.map((run) => run[of].cpuMicrosPerRecord))
    const filled = (of: 'few' | 'many') =>
      median(runs.map((run) => run[of].sink.entries / run[of].sink.requests))
    const ratio = median(runs.map(({ few, many }) => many.cpuMicrosPerRecord / few.cpuMicrosPerRecord))
    return {
      title,
      few: cost('few'),
      many: cost('many'),
      fewEntries: filled('few'),
      manyEntries: filled('many'),
      ratio,
    }
  })
  return {
    figures,
    ratios: { shards4096Vs16Plain: summaries[0]!.ratio, shards4096Vs16Bytes: summaries[1]!.ratio },
    table: Object.fromEntries(
      summaries.map((summary) => [
        summary.title,
        {
          [`CPU µs/record, ${FEW} shards`]: rounded(summary.few, 2),
          [`${MANY} shards`]: rounded(summary.many, 2),
          'entries/request': Math.round(summary.fewEntries),
          [`at ${MANY}`]: Math.round(summary.manyEntries),
          ratio: rounded(summary.ratio, 2),
        },
      ]),
    ),
  }
}
