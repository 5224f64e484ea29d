import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskProcess } from '../../../bench/task-process.ts'
import type { Backlog, BacklogTask } from './loads/backlog.ts'
import type { Bounded, BoundedTask } from './loads/bounded.ts'
import { rounded, type SectionResult, type SectionSettings } from './section.ts'
import { EVENT_BYTES } from './sides/events.ts'
import type { Sink } from './sink.ts'

const BACKLOG_RECORDS = 1_000_000
const PAYLOAD_BYTES = BACKLOG_RECORDS * EVENT_BYTES
const BOUND_BYTES = 64 * 2 ** 20
/** What a producer may take beyond its bound: its requests, its young objects, code. */
const ALLOWED_BYTES = BOUND_BYTES + 64_000_000
/** Enough for the buffer to fill up. */
const FILL_MS = 2_500

/** What records cost in memory while they wait, and whether the bound on it holds. */
export async function measureMemory(sink: Sink, settings: SectionSettings): Promise<SectionResult> {
  const { quick, progress } = settings
  const backlogs = []
  for (const receipts of [false, true]) {
    const name = receipts ? 'aggregated, a receipt each' : 'aggregated, no receipts'
    progress(`backlog, ${name}`)
    const result = await holdBacklog(sink, { load: 'backlog', records: BACKLOG_RECORDS, receipts }, quick)
    backlogs.push({ name, ...result, vsPayload: result.peakGrowthBytes / PAYLOAD_BYTES })
  }
  const bounds = []
  for (const [aggregation, receipts] of [
    [true, false],
    [true, true],
    [false, false],
    [false, true],
  ] as const) {
    if (quick && !(aggregation && receipts)) continue
    const name = `${aggregation ? 'aggregated' : 'plain'}, ${receipts ? 'a receipt each' : 'no receipts'}`
    progress(`bound, ${name}`)
    const records = quick ? 250_000 : 500_000
    const task: BoundedTask = {
      load: 'bounded',
      records,
      aggregation,
      receipts,
      maxBufferedBytes: BOUND_BYTES,
    }
    const result = await fillBuffer(sink, task)
    bounds.push({ name, ...result, vsAllowed: result.peakGrowthBytes / ALLOWED_BYTES })
  }
  return {
    figures: { payloadBytes: PAYLOAD_BYTES, backlogs, maxBufferedBytes: BOUND_BYTES, bounds },
    ratios: {
      memoryBytesVsPayload: backlogs[0]!.vsPayload,
      memoryReceiptsVsPayload: backlogs[1]!.vsPayload,
      memoryBoundedVsAllowed: Math.max(...bounds.map(({ vsAllowed }) => vsAllowed)),
    },
    table: Object.fromEntries([
      ...backlogs.map((backlog) => [
        `1,000,000 waiting; ${backlog.name}`,
        {
          'peak RSS growth MiB': Math.round(backlog.peakGrowthBytes / 2 ** 20),
          'at rest MiB': Math.round(backlog.growthBytes / 2 ** 20),
          'peak over payload': rounded(backlog.vsPayload, 2),
        },
      ]),
      ...bounds.map((bound) => [
        `bound of 64 MiB; ${bound.name}`,
        {
          'peak RSS growth MiB': Math.round(bound.peakGrowthBytes / 2 ** 20),
          'when full MiB': Math.round(bound.peakGrowthBytesWhenFull / 2 ** 20),
          'peak over bound + 64 MB': rounded(bound.vsAllowed, 2),
        },
      ]),
    ]),
  }
}

async function holdBacklog(sink: Sink, task: BacklogTask, quick: boolean): Promise<Backlog> {
  return whileAnswersAreHeld(sink, task, async (process) => {
    const measured = await process.answer<Backlog>()
    if (quick) return measured
    await sink.tell('release')
    process.proceed()
    await process.answer()
    return measured
  })
}

async function fillBuffer(sink: Sink, task: BoundedTask): Promise<Bounded> {
  return whileAnswersAreHeld(sink, task, async (process) => {
    await process.answer()
    await sleep(FILL_MS)
    process.proceed()
    await sink.tell('release')
    return process.answer<Bounded>()
  })
}

async function whileAnswersAreHeld<T>(
  sink: Sink,
  task: BacklogTask | BoundedTask,
  measure: (process: TaskProcess) => Promise<T>,
): Promise<T> {
  await sink.tell({ reset: { shards: 16, serviceMs: 0, limits: false } })
  await sink.tell('hold')
  const process = sink.start(new URL('./loads/run.ts', import.meta.url), task)
  try {
    return await measure(process)
  } finally {
    process.end()
    await process.ended
    await sink.tell('release')
  }
}
