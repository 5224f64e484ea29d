import { once } from 'node:events'
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

// Forked by the bench.
process.once('message', (task: LoadTask & { url: string }) => {
  const bench: Bench = {
    url: task.url,
    say: (what) => process.send!(what),
    proceed: async () => void (await once(process, 'message')),
  }
  run(task, bench)
    .catch((error: Error) => ({ error: error.message }))
    .then((answer) => process.send!(answer, () => process.exit()))
})
process.once('disconnect', () => process.exit())

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
