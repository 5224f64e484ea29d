import { median } from '../../../bench/statistics.ts'
import { type Measured, runSide } from './run-side.ts'
import { rounded, type SectionResult, type SectionSettings } from './section.ts'
import type { SideName } from './sides/all-sides.ts'
import type { Sink } from './sink.ts'

interface MeasuredSide {
  name: SideName
  title: string
  /** Some seconds of work. */
  records: number
}

const MEASURED: readonly MeasuredSide[] = [
  { name: 'naive', title: 'SDK as it comes, one call at a time; objects', records: 120_000 },
  { name: 'tuned', title: 'SDK, keep-alive, 8 calls; objects', records: 200_000 },
  { name: 'lifionObjects', title: 'lifion-kinesis, 8 calls; objects', records: 200_000 },
  { name: 'lifionText', title: 'lifion-kinesis, 8 calls; strings', records: 200_000 },
  { name: 'awsKinesisWritable', title: 'aws-kinesis-writable, 8 calls; objects', records: 200_000 },
  { name: 'kinesisStreams', title: 'kinesis-streams, 8 calls; objects', records: 200_000 },
  { name: 'plain', title: 'ours, enqueue; objects', records: 300_000 },
  { name: 'plainIgnored', title: 'ours, put without await; objects', records: 300_000 },
  { name: 'plainWithReceipts', title: 'ours, put awaited; objects', records: 300_000 },
  { name: 'objects', title: 'ours, aggregated, enqueue; objects', records: 400_000 },
  { name: 'bytes', title: 'ours, aggregated, enqueue; bytes', records: 600_000 },
  { name: 'bytesWithReceipts', title: 'ours, aggregated, put awaited; bytes', records: 600_000 },
  { name: 'objectsFloor', title: 'floor; objects', records: 400_000 },
  { name: 'bytesFloor', title: 'floor; bytes', records: 600_000 },
]

/** A ratio is the cost of the one over the cost of the other; of several, the cheapest counts. */
const RATIOS: Record<string, readonly [over: readonly SideName[], of: SideName]> = {
  bytesVsNaive: [['naive'], 'bytes'],
  bytesWithReceiptsVsNaive: [['naive'], 'bytesWithReceipts'],
  objectsVsNaive: [['naive'], 'objects'],
  plainVsNaive: [['naive'], 'plain'],
  bytesVsTuned: [['tuned'], 'bytes'],
  // Of the peers only one takes what is JSON already.
  bytesVsBestPeer: [['lifionText'], 'bytes'],
  objectsVsBestPeer: [['lifionObjects', 'awsKinesisWritable', 'kinesisStreams'], 'objects'],
  bytesVsFloor: [['bytesFloor'], 'bytes'],
  objectsVsFloor: [['objectsFloor'], 'objects'],
}

const WARM_UP_RECORDS = 100_000

type Round = Map<SideName, Measured>

/**
 * What a record costs its process. The sides take turns; a ratio is taken within each round, as a machine that is shared is slower at one time
 * than at another, and the median of the rounds counts.
 */
export async function measureCost(sink: Sink, settings: SectionSettings): Promise<SectionResult> {
  const { sides, quick, profileFolder, progress } = settings
  const measured = MEASURED.filter(({ name }) => sides === undefined || sides.includes(name))
  const failures = new Map<SideName, string>()
  const rounds: Round[] = []
  for (let round = 0; round < settings.rounds; round++) {
    const results: Round = new Map()
    rounds.push(results)
    for (const { name, records } of measured) {
      if (failures.has(name)) continue
      progress(`round ${round + 1} of ${settings.rounds}: ${name}`)
      await sink.tell({ reset: { shards: 16, serviceMs: 0, limits: false } })
      const task = {
        side: name,
        warmUpRecords: quick ? WARM_UP_RECORDS / 2 : WARM_UP_RECORDS,
        records: quick ? records / 2 : records,
      }
      try {
        results.set(name, await runSide(sink, task, profileFolder))
      } catch (error) {
        failures.set(name, (error as Error).message)
      }
    }
  }
  const summaries = measured.map((side) => summarize(side, rounds, failures.get(side.name)))
  const notes = [...failures].map(([name, message]) => `${name} failed: ${message}`)
  return { sides: summaries, ratios: ratiosOf(rounds), table: tableOf(summaries), notes }
}

type Summary = ReturnType<typeof summarize>

function summarize({ name, title }: MeasuredSide, rounds: readonly Round[], failure: string | undefined) {
  const runs = rounds.flatMap((round) => round.get(name) ?? [])
  if (runs.length === 0) return { name, title, failure: failure ?? 'not run' }
  const cpuRuns = runs.map((run) => run.cpuMicrosPerRecord)
  const { requests, entries, connections } = runs[0]!.sink
  return {
    name,
    title,
    cpuMicrosPerRecord: median(cpuRuns),
    mainThreadMicrosPerRecord: median(runs.map((run) => run.mainThreadMicrosPerRecord)),
    recordsPerSecond: median(runs.map((run) => run.recordsPerSecond)),
    peakRssGrowthMiB: median(runs.map((run) => run.peakRssGrowthMiB)),
    connections,
    entriesPerRequest: entries / requests,
    cpuRuns,
  }
}

function ratiosOf(rounds: readonly Round[]): SectionResult['ratios'] {
  const ratios: SectionResult['ratios'] = {}
  for (const [name, [over, of]] of Object.entries(RATIOS)) {
    const inRounds = rounds.flatMap((round) => {
      const own = round.get(of)
      const others = over.flatMap((side) => round.get(side) ?? [])
      if (own === undefined || others.length < over.length) return []
      return Math.min(...others.map((other) => other.cpuMicrosPerRecord)) / own.cpuMicrosPerRecord
    })
    if (inRounds.length > 0) ratios[name] = median(inRounds)
  }
  return ratios
}

function tableOf(summaries: readonly Summary[]): SectionResult['table'] {
  return Object.fromEntries(
    summaries.map((side) => [
      side.title,
      'failure' in side
        ? { 'CPU µs/record': 'failed' }
        : {
            'CPU µs/record': rounded(side.cpuMicrosPerRecord, 2),
            'main thread': rounded(side.mainThreadMicrosPerRecord, 2),
            'records/s': Math.round(side.recordsPerSecond),
            'peak RSS growth MiB': Math.round(side.peakRssGrowthMiB),
            connections: side.connections,
            'entries/request': Math.round(side.entriesPerRequest),
          },
    ]),
  )
}
