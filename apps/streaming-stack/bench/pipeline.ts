import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from '../../../bench/machine.ts'
import { type ProcessSample, processTree } from '../src/demo/process-tree.ts'
import { type Parts, sharesOf } from './cpu-profile.ts'

/*
 * The whole demo at rising rates: which it sustains, and at one of them what an event costs in each part. A rate is sustained when the
 * generator keeps it, and the backlog at its end is what two seconds bring.
 */
const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '1000,2000,3000,4000,5000' },
    seconds: { type: 'string', default: '20' },
    shards: { type: 'string', default: '8' },
    profile: { type: 'string', default: '2000' },
    json: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const rates = values.rates.split(',').map(Number)
if (!(seconds > 0) || rates.some((rate) => !(rate > 0)))
  throw new Error('--rates and --seconds must be numbers above 0.')

const cli = fileURLToPath(new URL('../dist/demo/cli.js', import.meta.url))

const MAIN_PARTS: Parts = [
  ['DynamoDB', /dynalite|kinesis-local\/.*src\/dynamodb/],
  ['delivery', /kinesis-local\/.*src\/delivery/],
  ['mapping', /kinesis-local\/.*src\/(event-source-mapping|function)|kinesis-core\/.*event-source-mapping/],
  ['Kinesis endpoint', /kinesis-local\/.*src\/(kinesis|wire)/],
  ['metrics', /kinesis-local\/.*src\/cloudwatch/],
  ['the demo itself', /streaming-stack\/|kinesis-monitor\/|duckdb/],
  [
    'HTTP server of all services',
    /^node:(_http|net|internal\/http|internal\/stream|_stream|events|internal\/streams)/,
  ],
]
const GENERATOR_PARTS: Parts = [
  [
    'producer',
    /kinesis-producer\/|@aws-sdk|@smithy|^node:(_http|net|internal\/http|internal\/stream|_stream)/,
  ],
  ['generator', /demo-generator\//],
]

interface Account {
  balanced: boolean
  produced: number
  durationMs: number
  p50LatencyMs: number
  p99LatencyMs: number
  peakRssBytes: number
}

async function run(rate: number, profileFolder?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-pipeline-'))
  const jsonFile = join(folder, 'account.json')
  const profiling =
    profileFolder === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` }
  const child = spawn(
    process.execPath,
    [
      cli,
      '--rate',
      `${rate}`,
      '--duration',
      `${seconds}`,
      '--shards',
      values.shards,
      '--json',
      jsonFile,
      '--data',
      join(folder, 'data'),
    ],
    { stdio: 'ignore', env: { ...process.env, ...profiling } },
  )
  const last = new Map<number, ProcessSample>()
  const sampling = setInterval(() => {
    for (const sample of processTree(child.pid!)) {
      // Of a process that has just ended no role is left to read.
      const role = sample.role === 'unknown' ? last.get(sample.pid)?.role : sample.role
      last.set(sample.pid, { ...sample, role: role ?? 'unknown' })
    }
  }, 200)
  await new Promise((resolve) => child.once('exit', resolve))
  clearInterval(sampling)
  const account = JSON.parse(await readFile(jsonFile, 'utf8')) as Account
  await rm(folder, { recursive: true, force: true })
  const lateMs = account.durationMs - seconds * 1_000
  return { rate, account, lateMs, processes: [...last.values()] }
}

type Run = Awaited<ReturnType<typeof run>>

const isSustained = ({ account, rate, lateMs }: Run) =>
  account.balanced && account.produced >= rate * seconds * 0.99 && lateMs < 2_000 + 1_500

/** Milliseconds of processor time per thousand events, by part. */
async function costs({ account, processes }: Run, profileFolder: string): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const add = (part: string, cpuMs: number) =>
    found.set(part, (found.get(part) ?? 0) + (cpuMs / account.produced) * 1_000)
  const profiles = await readdir(profileFolder)
  for (const { pid, role, cpuMs } of processes) {
    const profile = profiles.find((name) => name.split('.').includes(`${pid}`))
    if (role.includes('stream-processor')) add('handler: stream-processor', cpuMs)
    else if (role.includes('analytics')) add('handler: windows', cpuMs)
    else if (role.includes('data-transform')) add('handler: data-transform', cpuMs)
    else if (profile === undefined) add('other', cpuMs)
    else {
      const shares = sharesOf(join(profileFolder, profile), role === 'main' ? MAIN_PARTS : GENERATOR_PARTS)
      for (const [part, share] of shares)
        add(role === 'main' && part === 'other' ? 'runtime (GC, IPC, timers)' : part, share * cpuMs)
    }
  }
  return new Map([...found].sort((a, b) => b[1] - a[1]))
}

const runs: Run[] = []
for (const rate of rates) {
  const done = await run(rate)
  runs.push(done)
  const { account, lateMs, processes } = done
  const cpuSeconds = processes.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1_000
  console.log(
    `${rate} events/s: ${isSustained(done) ? 'sustained' : 'falls behind'}; done ${(lateMs / 1_000).toFixed(1)} s after the last event, ` +
      `p50 ${account.p50LatencyMs.toFixed(0)} ms, p99 ${account.p99LatencyMs.toFixed(0)} ms, ${((cpuSeconds * 1_000) / account.durationMs).toFixed(2)} cores, ${Math.round(account.peakRssBytes / 2 ** 20)} MiB`,
  )
}
const sustained = runs.filter(isSustained).reduce((most, { rate }) => Math.max(most, rate), 0)
console.log(`Sustained: ${sustained} events/s on ${values.shards} shards.`)

const profileFolder = await mkdtemp(join(tmpdir(), 'bench-profile-'))
const perPart = await costs(await run(Number(values.profile), profileFolder), profileFolder)
await rm(profileFolder, { recursive: true, force: true })
console.log(`\nProcessor time per 1,000 events, start-up included, at ${values.profile} events/s:`)
for (const [part, ms] of perPart) console.log(`  ${part.padEnd(32)} ${ms.toFixed(1).padStart(8)} ms`)

if (values.json !== undefined) {
  const report = {
    bench: 'pipeline',
    machine: machine(),
    sides: runs.map((one) => ({
      name: `${one.rate} events/s`,
      sustained: isSustained(one),
      lateMs: one.lateMs,
      p50LatencyMs: one.account.p50LatencyMs,
      p99LatencyMs: one.account.p99LatencyMs,
      peakRssBytes: one.account.peakRssBytes,
      cpuMs: one.processes.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    })),
    cpuMsPerThousandEvents: Object.fromEntries(perPart),
    ratios: { sustainedEventsPerSecond: sustained },
  }
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
}
