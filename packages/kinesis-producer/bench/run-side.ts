import { EVENT_BYTES } from './sides/events.ts'
import type { SideRun, SideTask } from './sides/run.ts'
import type { Sink, SinkReport } from './sink.ts'

export interface Measured {
  cpuMicrosPerRecord: number
  mainThreadMicrosPerRecord: number
  recordsPerSecond: number
  peakRssGrowthMiB: number
  /** As the sink counted them, the warm-up included. */
  sink: SinkReport
}

/** One run of a side in a fresh process; throws what the side says where it fails. With `profileFolder` it leaves a CPU profile there. */
export async function runSide(
  sink: Sink,
  task: Omit<SideTask, 'url'>,
  profileFolder?: string,
): Promise<Measured> {
  const process = sink.start(new URL('./sides/run.ts', import.meta.url), task, profileFolder)
  const answer = await process.answer<SideRun>()
  await process.ended
  const report = await sink.tell('report')
  const records = task.warmUpRecords + answer.records
  if (report.bytes < records * EVENT_BYTES) {
    throw new Error(`${report.bytes} bytes arrived, fewer than ${records} records hold.`)
  }
  return {
    cpuMicrosPerRecord: answer.cpuMicros / answer.records,
    mainThreadMicrosPerRecord: answer.mainThreadMicros / answer.records,
    recordsPerSecond: (answer.records * 1_000) / answer.wallMs,
    peakRssGrowthMiB: answer.peakRssGrowthBytes / 2 ** 20,
    sink: report,
  }
}
