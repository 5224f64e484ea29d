import { once } from 'node:events'
import { answerTask } from '../../../../bench/answer-task.ts'
import { type BacklogTask, backlog } from './backlog.ts'
import { type BoundedTask, bounded } from './bounded.ts'
import { type LatencyTask, latency } from './latency.ts'
import { type PressureTask, pressure } from './pressure.ts'

/** What a process of its own is asked to do. */
export type LoadTask = BacklogTask | BoundedTask | LatencyTask | PressureTask

/** The bench, as such a process sees it. */
export interface Bench {
  url: string
  say(what: object): void
  /** Resolves when the bench lets the process go on. */
  proceed(): Promise<void>
}

answerTask((task: LoadTask & { url: string }) =>
  run(task, {
    url: task.url,
    say: (what) => process.send!(what),
    proceed: async () => void (await once(process, 'message')),
  }),
)

function run(task: LoadTask, bench: Bench): Promise<object> {
  switch (task.load) {
    case 'backlog':
      return backlog(task, bench)
    case 'bounded':
      return bounded(task, bench)
    case 'latency':
      return latency(task, bench)
    case 'pressure':
      return pressure(task, bench)
  }
}
