import { answerTask } from '../../../../bench/answer-task.ts'
import { batchOf, requireSuccess, type Side } from './side.ts'

const sides = {
  tutorial: async (url) => (await import('./store.ts')).tutorialSide(url),
  ours: async (url) => (await import('./store.ts')).oursStoreSide(url),
  plainLoop: async () => (await import('./framework.ts')).plainLoopSide(),
  powertools: async () => (await import('./framework.ts')).powertoolsSide(),
  framework: async () => (await import('./framework.ts')).oursSide(),
} satisfies Record<string, (url: string) => Promise<Side>>

export type SideName = keyof typeof sides

/** What a process of its own is asked to do. */
export interface SideTask {
  side: SideName
  /** Of the services. */
  url: string
  batchRecords: number
  /** Before the clock runs. */
  warmUpBatches: number
  batches: number
  /** The same batches over and over, so many of them: where nothing is kept of them. @default every one is new */
  distinctBatches?: number
}

export interface SideRun {
  records: number
  wallMs: number
  cpuMicros: number
  /** Above what it held with its batches at hand. */
  peakRssGrowthBytes: number
  /** The first event as Lambda has it, in JSON. */
  eventBytes: number
}

answerTask(async (task: SideTask): Promise<SideRun> => {
  const { batchRecords, warmUpBatches, batches } = task
  const side = await sides[task.side](task.url)
  const { distinctBatches = warmUpBatches + batches } = task
  const events = Array.from({ length: distinctBatches }, (_, index) => batchOf(index, batchRecords))
  const eventBytes = JSON.stringify(events[0]).length
  const rssBytes = process.memoryUsage.rss()
  for (let index = 0; index < warmUpBatches; index++) {
    requireSuccess(await side(events[index % distinctBatches]!))
  }
  const cpuBefore = process.cpuUsage()
  const startedAtMs = performance.now()
  for (let index = 0; index < batches; index++) {
    requireSuccess(await side(events[(warmUpBatches + index) % distinctBatches]!))
  }
  const wallMs = performance.now() - startedAtMs
  const { user, system } = process.cpuUsage(cpuBefore)
  return {
    records: batches * batchRecords,
    wallMs,
    cpuMicros: user + system,
    eventBytes,
    peakRssGrowthBytes: process.resourceUsage().maxRSS * 1024 - rssBytes,
  }
})
