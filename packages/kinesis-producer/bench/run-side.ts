import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
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
  const child = fork(fileURLToPath(new URL('./sides/run.ts', import.meta.url)), {
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: sink.caFile,
      // Of version 2 of the AWS SDK: it keeps its connections, and keeps its notice to itself.
      AWS_NODEJS_CONNECTION_REUSE_ENABLED: '1',
      AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
    },
    execArgv: profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`],
  })
  const ended = once(child, 'exit')
  child.send({ ...task, url: sink.url })
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [
    SideRun | { error: string } | number,
  ]
  await ended
  if (typeof answer !== 'object' || answer === null) throw new Error('The process ended without a result.')
  if ('error' in answer) throw new Error(answer.error)
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
