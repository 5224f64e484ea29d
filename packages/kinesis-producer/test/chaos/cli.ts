import { parseArgs } from 'node:util'
import { KinesisProducer } from '@org/kinesis-producer'
import { runSeed, type SeedReport } from './run-seed.ts'

/** `pnpm chaos producer`: seed after seed, against the built producer. */
const USAGE = `pnpm chaos producer [--seeds N] [--first K] [--seed K] [--wire]
  --seeds N   how many (default 1000; 24 on the wire)
  --first K   the first of them (default 1)
  --seed K    that one alone
  --wire      over sockets in real time, four at once, instead of simulated`
/** The first are printed in full. */
const SHOWN_FAILURES = 5
const WIRE_JOBS = 4

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    wire: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const mode = values.wire ? 'wire' : 'simulated'
const first = whole('seed', values.seed ?? values.first)
const count = values.seed === undefined ? whole('seeds', values.seeds ?? (values.wire ? '24' : '1000')) : 1

const startedAt = performance.now()
const totals = {
  seeds: 0,
  puts: 0,
  delivered: 0,
  failed: 0,
  refused: 0,
  requests: 0,
  harmed: 0,
  packed: 0,
  aggregates: 0,
  unverified: 0,
  strayed: 0,
  divided: 0,
}
const failing: number[] = []
let next = first
let isStopped = false
process.once('SIGINT', () => {
  isStopped = true
})

await Promise.all(Array.from({ length: values.wire ? WIRE_JOBS : 1 }, work))
progress('')
console.log(summary())
process.exitCode = failing.length === 0 ? 0 : 1

async function work(): Promise<void> {
  while (next < first + count && !isStopped) {
    const seed = next++
    try {
      add(await runSeed(seed, mode, KinesisProducer))
    } catch (error) {
      failing.push(seed)
      progress('')
      const why =
        failing.length <= SHOWN_FAILURES ? `\n${error instanceof Error ? error.message : error}` : ''
      console.log(
        `Seed ${seed} failed. Replay: pnpm chaos producer${values.wire ? ' --wire' : ''} --seed ${seed}${why}`,
      )
    }
    totals.seeds++
    progress(`${totals.seeds} of ${count} seeds, ${totals.puts} puts, ${failing.length} failed`)
  }
}

function add(report: SeedReport): void {
  for (const name of Object.keys(totals) as (keyof typeof totals)[])
    if (name !== 'seeds') totals[name] += report[name]
}

function summary(): string {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  const { seeds, puts, delivered, failed, refused, requests, harmed } = totals
  const { packed, aggregates, unverified, strayed, divided } = totals
  const verdict =
    failing.length === 0 ? 'all hold' : `${failing.length} failed (${failing.slice(0, 20).join(', ')})`
  return `${seeds} seeds ${mode} in ${seconds} s: ${verdict}; ${puts} puts: ${delivered} delivered, ${failed} failed, ${refused} refused; ${requests} requests, ${harmed} with a fault; ${packed} records in ${aggregates} aggregates, ${unverified} unverified; ${strayed} aggregates in a wrong shard, ${divided} of them divided.`
}

function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value
  console.error(`--${name} ${text}: give a whole number.\n${USAGE}`)
  process.exit(1)
}
