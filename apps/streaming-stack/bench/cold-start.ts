import { parseArgs } from 'node:util'
import { kinesisEvent } from '@org/kinesis-core/testing'
import { startLocal } from '@org/kinesis-local'
import { machine } from '../../../bench/machine.ts'
import { median } from '../../../bench/statistics.ts'
import { TaskProcess } from '../../../bench/task-process.ts'
import { processedDataTable } from '../src/demo/tables.ts'
import type { ColdStart } from './cold-start/run.ts'

/*
 * From the import of the bundled stream processor to its first answer, for a batch of one event, as a new Lambda environment has it; the
 * start of Node before that is not in it. Each run in a process of its own, against the local services in this one.
 */
const { values } = parseArgs({ options: { runs: { type: 'string', default: '11' } } })
const runs = Number(values.runs)
if (!(runs >= 1)) throw new Error('--runs must be a number from 1.')

await using local = await startLocal({ tables: [processedDataTable('processed')], queues: ['rejected'] })
const event = kinesisEvent([
  {
    partitionKey: 'user_0001',
    data: {
      user_id: 'user_0001',
      event_type: 'click',
      event_id: 'e-1',
      timestamp: '2026-01-01T00:00:00Z',
      value: 1,
    },
  },
])
const env = {
  ...local.environment,
  PROCESSED_TABLE_NAME: 'processed',
  REJECTED_QUEUE_URL: local.queueUrl('rejected'),
  POWERTOOLS_METRICS_NAMESPACE: 'bench',
  POWERTOOLS_SERVICE_NAME: 'bench',
}
const imported: number[] = []
const answered: number[] = []
for (let run = 0; run < runs; run++) {
  const child = new TaskProcess(
    new URL('./cold-start/run.ts', import.meta.url),
    { event },
    { env, quiet: true },
  )
  const { importMs, totalMs } = await child.answer<ColdStart>()
  await child.ended
  imported.push(importMs)
  answered.push(totalMs)
}
const { cpu, cores, node } = machine()
console.log(`${cpu}, ${cores} cores, Node ${node}; median of ${runs}`)
console.log(`import: ${median(imported).toFixed(0)} ms`)
console.log(`import to first answer: ${median(answered).toFixed(0)} ms`)
