import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { machine } from '../../../bench/machine.ts'
import { median } from '../../../bench/statistics.ts'
import { TaskProcess } from '../../../bench/task-process.ts'
import { deaggregation } from './deaggregation.ts'
import { Services } from './services.ts'
import type { SideName, SideRun, SideTask } from './sides/run.ts'

/*
 * The handler beside the tutorial's, against a local DynamoDB in another process; beside a plain loop and Powertools' batch processor with a
 * store that does nothing; and how fast aggregates are unpacked. Every run in a process of its own, in turns.
 */
interface Measured {
  name: string
  title: string
  task: Omit<SideTask, 'url'>
}

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    profile: { type: 'string' },
    sides: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds ${values.rounds}: give a whole number from 1.`)
  process.exit(1)
}
const scale = values.quick ? 0.2 : 1
const of = (batches: number) => Math.max(1, Math.round(batches * scale))
const framework = (side: SideName) => ({
  side,
  batchRecords: 100,
  warmUpBatches: 500,
  batches: of(4_000),
  distinctBatches: 10,
})
const all: Measured[] = [
  {
    name: 'tutorial',
    title: "the tutorial's handler, batches of 100",
    task: { side: 'tutorial', batchRecords: 100, warmUpBatches: 2, batches: of(10) },
  },
  {
    name: 'tutorial10k',
    title: "the tutorial's handler, batches of 10,000",
    task: { side: 'tutorial', batchRecords: values.quick ? 1_000 : 10_000, warmUpBatches: 0, batches: 1 },
  },
  {
    name: 'ours',
    title: 'ours, batches of 100',
    task: { side: 'ours', batchRecords: 100, warmUpBatches: 20, batches: of(200) },
  },
  {
    name: 'ours10k',
    title: 'ours, batches of 10,000',
    task: { side: 'ours', batchRecords: 10_000, warmUpBatches: 1, batches: of(3) },
  },
  { name: 'plainLoop', title: 'plain loop, no store', task: framework('plainLoop') },
  { name: 'powertools', title: 'Powertools batch, no store', task: framework('powertools') },
  { name: 'framework', title: 'ours, no store', task: framework('framework') },
  {
    name: 'largest',
    title: 'ours, no store, one event of 6 MB',
    task: { side: 'framework', batchRecords: 6_500, warmUpBatches: 0, batches: 1 },
  },
]
const chosen = values.sides?.split(',')
const measured = all.filter(({ name }) => chosen === undefined || chosen.includes(name))

type Run = SideRun & { requests: number; items: number }
const runs = new Map<string, Run[]>(measured.map(({ name }) => [name, []]))
{
  await using services = await Services.start()
  for (let round = 0; round < rounds; round++) {
    for (const { name, task } of measured) {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[Kround ${round + 1} of ${rounds}: ${name}`)
      runs.get(name)!.push(await run(services, task))
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}

async function run(services: Services, task: Omit<SideTask, 'url'>): Promise<Run> {
  const file = new URL('./sides/run.ts', import.meta.url)
  const options = { profileFolder: values.profile, quiet: true }
  const child = new TaskProcess(file, { ...task, url: services.url }, options)
  const answer = await child.answer<SideRun>()
  await child.ended
  const { requests, items } = await services.report()
  const expected = task.batchRecords * (task.warmUpBatches + task.batches)
  const isStoring = task.side === 'ours' || task.side === 'tutorial'
  if (isStoring && items !== expected) throw new Error(`${items} of ${expected} records were stored.`)
  // The warm-up's requests are among them.
  return { ...answer, items, requests: (requests * answer.records) / expected }
}

const ofRuns = (name: string, figure: (run: Run) => number) => {
  const found = runs.get(name)
  return found === undefined ? undefined : median(found.map(figure))
}
const perSecond = (name: string) => ofRuns(name, ({ records, wallMs }) => (records * 1_000) / wallMs)
const callsPerRecord = (name: string) => ofRuns(name, ({ records, requests }) => requests / records)
const cpuMicros = (name: string) => ofRuns(name, (run) => run.cpuMicros / run.records)
/** Taken within each round, as a machine that is shared is slower at one time than at another. */
const ratio = (over: string, under: string, figure: (run: Run) => number) => {
  const [above, below] = [runs.get(over), runs.get(under)]
  if (above === undefined || below === undefined) return undefined
  return median(above.map((run, round) => figure(run) / figure(below[round]!)))
}
const speed = ({ records, wallMs }: Run) => records / wallMs
const cost = (run: Run) => run.cpuMicros / run.records
const calls = (run: Run) => run.requests / run.records

const sides = measured.map(({ name, title }) => ({
  name,
  title,
  recordsPerSecond: perSecond(name),
  cpuMicrosPerRecord: cpuMicros(name),
  callsPerRecord: callsPerRecord(name),
  peakRssGrowthMiB: ofRuns(name, (run) => run.peakRssGrowthBytes / 2 ** 20),
}))
const unpacked = chosen === undefined ? deaggregation(values.quick) : undefined
const ratios = {
  throughputVsTutorial: ratio('ours', 'tutorial', speed),
  throughputVsTutorial10k: ratio('ours10k', 'tutorial10k', speed),
  callsPerRecordVsTutorial: ratio('ours', 'tutorial', calls),
  callsPerRecordVsTutorial10k: ratio('ours10k', 'tutorial10k', calls),
  cpuVsPlainLoop: ratio('framework', 'plainLoop', cost),
  cpuVsPowertools: ratio('powertools', 'framework', cost),
  deaggregatedPerCpuSecond: unpacked,
  peakMemoryVsPayload: ofRuns('largest', (run) => run.peakRssGrowthBytes / run.eventBytes),
}

const { cpu, cores, memoryGiB, node } = machine()
console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}; median of ${rounds}`)
const rounded = (value: number | undefined, digits: number) =>
  value === undefined ? '-' : Number(value.toFixed(digits))
console.table(
  Object.fromEntries(
    sides.map((side) => [
      side.title,
      {
        'records/s': rounded(side.recordsPerSecond, 0),
        'CPU µs/record': rounded(side.cpuMicrosPerRecord, 2),
        'calls/record': rounded(side.callsPerRecord, 4),
        'peak RSS growth MiB': rounded(side.peakRssGrowthMiB, 0),
      },
    ]),
  ),
)
for (const [name, value] of Object.entries(ratios)) {
  if (value !== undefined) console.log(`${name}: ${rounded(value, 4)}`)
}
if (values.json !== undefined) {
  const report = { bench: 'processor', machine: machine(), sides, ratios }
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
}
