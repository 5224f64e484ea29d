import { answerTask } from '../../../../bench/answer-task.ts'
import { peakRss } from '../peak-rss.ts'
import { type SideName, sides } from './all-sides.ts'

/** What a process of its own is asked to do. */
export interface SideTask {
  side: SideName
  url: string
  /** Before the clock runs. */
  warmUpRecords: number
  records: number
}

export interface SideRun {
  records: number
  wallMs: number
  /** Of this process, all its threads, over the run. */
  cpuMicros: number
  /** The part of the thread that runs JavaScript; much of the rest is garbage collection. */
  mainThreadMicros: number
  /** Above what it held before the first record. */
  peakRssGrowthBytes: number
}

answerTask(run)

async function run({ side, url, warmUpRecords, records }: SideTask): Promise<SideRun> {
  const { put } = await sides[side]({ url })
  const rss = peakRss()
  await put(warmUpRecords)
  const cpuBefore = process.cpuUsage()
  const threadBefore = process.threadCpuUsage()
  const startedAtMs = performance.now()
  const count = await put(records)
  const wallMs = performance.now() - startedAtMs
  const cpu = process.cpuUsage(cpuBefore)
  const thread = process.threadCpuUsage(threadBefore)
  return {
    records: count,
    wallMs,
    cpuMicros: cpu.user + cpu.system,
    mainThreadMicros: thread.user + thread.system,
    peakRssGrowthBytes: rss.peakGrowth(),
  }
}
