import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { machine } from '../../../bench/machine.ts'
import { median } from '../../../bench/statistics.ts'
import { RECORDS_IN_A_CALL } from './load.ts'
import { type Measured, measure } from './measure.ts'
import { kinesaliteSide, localSide, npmKinesisLocalSide, type Side } from './sides.ts'
import { startUp } from './start-up.ts'

/*
 * The Kinesis endpoint beside the other emulators: SDK clients in two other processes, four calls of 500 records of 300 bytes in flight
 * over HTTP/1.1. Every run has a fresh server; the sides take turns, and the median counts. Then one server of ours is filled far beyond
 * its bound of memory.
 */
const { values } = parseArgs({
  options: { json: { type: 'string' }, quick: { type: 'boolean', default: false } },
})
const rounds = values.quick ? 1 : 3
const ours = { put: values.quick ? 200 : 800, get: values.quick ? 200 : 800 }
const millions = values.quick ? 1 : 5

const sides: Side[] = [
  localSide('@org/kinesis-local', ours),
  localSide('@org/kinesis-local, persist', ours, { persist: true }),
  kinesaliteSide({ put: values.quick ? 40 : 80, get: values.quick ? 60 : 160 }),
  npmKinesisLocalSide({ put: 8, get: 8 }),
]

interface SideResult {
  name: string
  putRecordsPerSecond: number
  getRecordsPerSecond: number
  putCpuMicrosPerRecord: number | undefined
  getCpuMicrosPerRecord: number | undefined
  rssMiB: number | undefined
  putRuns: number[]
  getRuns: number[]
}

const runs = new Map<string, { put: Measured[]; get: Measured[] }>(
  sides.map(({ name }) => [name, { put: [], get: [] }]),
)
for (let round = 0; round < rounds; round++) {
  for (const { name, calls, start } of sides) {
    progress(`round ${round + 1} of ${rounds}: ${name}`)
    const server = await start()
    try {
      runs.get(name)!.put.push(await measure(server, 'put', calls.put))
      runs.get(name)!.get.push(await measure(server, 'get', calls.get))
    } finally {
      await server.close()
    }
  }
}
progress('start-up')
const started = await startUp(values.quick ? 2 : 7)
const perMillion = await fill(millions)
progress('')

const results = sides.map(({ name }) => summarize(name, runs.get(name)!))
const [memory, persist, kinesalite, npm] = results as [SideResult, SideResult, SideResult, SideResult]
const ratios = {
  putVsKinesalite: memory.putRecordsPerSecond / kinesalite.putRecordsPerSecond,
  putVsNpmKinesisLocal: memory.putRecordsPerSecond / npm.putRecordsPerSecond,
  getVsKinesalite: memory.getRecordsPerSecond / kinesalite.getRecordsPerSecond,
  getVsNpmKinesisLocal: memory.getRecordsPerSecond / npm.getRecordsPerSecond,
  putPersistVsMemory: persist.putRecordsPerSecond / memory.putRecordsPerSecond,
  // Of the server's processor time alone: the clients of a fast server take most of a small machine.
  putCpuVsKinesalite: over(kinesalite.putCpuMicrosPerRecord, memory.putCpuMicrosPerRecord),
  putCpuVsNpmKinesisLocal: over(npm.putCpuMicrosPerRecord, memory.putCpuMicrosPerRecord),
  getCpuVsKinesalite: over(kinesalite.getCpuMicrosPerRecord, memory.getCpuMicrosPerRecord),
  getCpuVsNpmKinesisLocal: over(npm.getCpuMicrosPerRecord, memory.getCpuMicrosPerRecord),
  putLastVsFirstMillion: perMillion.at(-1)!.recordsPerSecond / perMillion[0]!.recordsPerSecond,
}
print()
if (values.json !== undefined) {
  const report = { bench: 'local', machine: machine(), sides: results, ratios, startUp: started, perMillion }
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
}

function summarize(name: string, { put, get }: { put: Measured[]; get: Measured[] }): SideResult {
  const of = (measured: Measured[], figure: keyof Measured) => {
    const known = measured.flatMap((one) => one[figure] ?? [])
    return known.length === 0 ? undefined : median(known)
  }
  const rss = of(put, 'rssBytes')
  return {
    name,
    putRecordsPerSecond: of(put, 'recordsPerSecond')!,
    getRecordsPerSecond: of(get, 'recordsPerSecond')!,
    putCpuMicrosPerRecord: of(put, 'cpuMicrosPerRecord'),
    getCpuMicrosPerRecord: of(get, 'cpuMicrosPerRecord'),
    rssMiB: rss === undefined ? undefined : rss / 2 ** 20,
    putRuns: put.map((one) => one.recordsPerSecond),
    getRuns: get.map((one) => one.recordsPerSecond),
  }
}

/** Puts that many million records into one server, which keeps 512 MiB of them, and measures each million. */
async function fill(count: number) {
  const server = await localSide('', ours).start()
  const measured: { million: number; recordsPerSecond: number; rssMiB: number | undefined }[] = []
  try {
    for (let million = 1; million <= count; million++) {
      progress(`million ${million} of ${count}`)
      const { recordsPerSecond, rssBytes } = await measure(server, 'put', 1_000_000 / RECORDS_IN_A_CALL)
      const rssMiB = rssBytes === undefined ? undefined : rssBytes / 2 ** 20
      measured.push({ million, recordsPerSecond, rssMiB })
    }
  } finally {
    await server.close()
  }
  return measured
}

function print(): void {
  const { cpu, cores, memoryGiB, node } = machine()
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}; median of ${rounds}\n`)
  console.table(
    Object.fromEntries(
      results.map((side) => [
        side.name,
        {
          'put records/s': Math.round(side.putRecordsPerSecond),
          'get records/s': Math.round(side.getRecordsPerSecond),
          'server CPU µs/record put': rounded(side.putCpuMicrosPerRecord, 1),
          'server CPU µs/record get': rounded(side.getCpuMicrosPerRecord, 1),
          'server RSS MiB': rounded(side.rssMiB, 0),
        },
      ]),
    ),
  )
  console.table(
    Object.fromEntries(
      perMillion.map(({ million, recordsPerSecond, rssMiB }) => [
        `million ${million}`,
        { 'put records/s': Math.round(recordsPerSecond), 'server RSS MiB': rounded(rssMiB, 0) },
      ]),
    ),
  )
  console.log(
    `Start-up, warm: library ${Math.round(started.libraryMs)} ms, command ${Math.round(started.cliMs)} ms`,
  )
  for (const [name, ratio] of Object.entries(ratios)) console.log(`${name}: ${rounded(ratio, 2)}`)
}

function over(theirs: number | undefined, own: number | undefined): number | undefined {
  return theirs === undefined || own === undefined ? undefined : theirs / own
}

function rounded(value: number | undefined, digits: number): number | string {
  return value === undefined ? '-' : Number(value.toFixed(digits))
}

function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`)
}
