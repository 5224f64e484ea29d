import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { machine } from '../../../bench/machine.ts'
import { measureCost } from './cost.ts'
import { measureLatency } from './latency.ts'
import { measureLimit } from './limit.ts'
import { measureMemory } from './memory.ts'
import { rounded, type Section } from './section.ts'
import { measureShards } from './shards.ts'
import { measureSharing } from './sharing.ts'
import { Sink } from './sink.ts'

/*
 * The producer beside what one would use instead, and beside what no producer can do without: each side in a process of its own, all against one
 * TLS endpoint that answers as Kinesis does and keeps nothing. Events of 305 bytes of JSON, 8,192 distinct ones of 2,000 keys.
 */
const sections: Record<string, Section> = {
  cost: measureCost,
  memory: measureMemory,
  shards: measureShards,
  latency: measureLatency,
  limit: measureLimit,
  sharing: measureSharing,
}

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(sections).join() },
    rounds: { type: 'string' },
    sides: { type: 'string' },
    profile: { type: 'string' },
  },
})
const only = values.only.split(',')
for (const name of only) {
  if (!Object.hasOwn(sections, name)) {
    console.error(`--only ${name}: there is no such section. Name some of: ${Object.keys(sections).join()}.`)
    process.exit(1)
  }
}
const settings = {
  rounds: Number(values.rounds ?? (values.quick ? 1 : 5)),
  quick: values.quick,
  sides: values.sides?.split(','),
  profileFolder: values.profile,
  progress: (what: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`)
  },
}
if (!Number.isInteger(settings.rounds) || settings.rounds < 1) {
  console.error(`--rounds ${values.rounds}: give a whole number from 1.`)
  process.exit(1)
}

const { cpu, cores, memoryGiB, node } = machine()
console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}; median of ${settings.rounds}`)
const ratios: Record<string, number | undefined> = {}
const figures: Record<string, unknown> = {}
let sides: unknown[] = []
await using sink = await Sink.start()
for (const name of only) {
  const result = await sections[name]!(sink, settings)
  settings.progress('')
  console.log(`\n${name}`)
  console.table(result.table)
  for (const note of result.notes ?? []) console.log(note)
  for (const [ratio, value] of Object.entries(result.ratios)) {
    if (value !== undefined) console.log(`${ratio}: ${rounded(value, 4)}`)
  }

  Object.assign(ratios, result.ratios)
  sides = result.sides ?? sides
  if (result.figures !== undefined) figures[name] = result.figures
}
if (values.json !== undefined) {
  const report = { bench: 'producer', machine: machine(), sides, ratios, ...figures }
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
}
