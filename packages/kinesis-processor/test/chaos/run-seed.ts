import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeAggregate, type KinesisEvent } from '@org/kinesis-core'
import { eventIn, judge, readRejected } from './judge.js'
import { drawScenario, type Scenario } from './scenario.js'
import { runTraffic } from './traffic.js'
import { createWorld, type MakeHandler, type World } from './world.js'

/** What was left when the faults ended is done soon: backoffs of the mapping grow to half a minute, and a time-out takes as long. */
const RECOVERY_MS = 300_000

export interface SeedReport {
  scenario: Scenario
  events: number
  stored: number
  rejected: number
  deadLettered: number
  invocations: number
  failedInvocations: number
  retried: number
  deduplicated: number
  digest: string
}

/** Runs one seed to its end, and throws where a rule was broken. */
export async function runSeed(seed: number, makeHandler?: MakeHandler): Promise<SeedReport> {
  const scenario = drawScenario(seed)
  const folder = await mkdtemp(join(tmpdir(), 'processor-chaos-'))
  const world = await createWorld(scenario, folder, makeHandler)
  try {
    return await play(world, scenario, folder)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`${why}\n${JSON.stringify(scenario)}`, { cause: error })
  } finally {
    await world.sim.close()
    await rm(folder, { recursive: true })
  }
}

async function play(world: World, scenario: Scenario, folder: string): Promise<SeedReport> {
  const { sim, mapping, faultsEndMs } = world
  const events = await sim.run(runTraffic(sim, scenario), { limitMs: 3_600_000 })
  const calmMs = Math.max(sim.clock.now(), faultsEndMs)
  await sim.run(mapping.drain(), { limitMs: calmMs - sim.clock.now() + RECOVERY_MS })

  const rejected = readRejected(sim.queueMessages('rejected').map(({ body }) => body))
  const deadLettered = await readDeadLetters(folder)
  const complaints = judge(world, { sink: scenario.sink, events, deadLettered, rejected })
  if (scenario.maximumRetryAttempts < 0 && deadLettered.size > 0)
    complaints.push(
      `${deadLettered.size} events were given up, though they were to be tried until they succeed`,
    )
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
  const total = (of: (report: World['reports'][number]) => number) =>
    world.reports.reduce((sum, report) => sum + of(report), 0)
  const { invocations, failedInvocations } = mapping.stats()
  return {
    scenario,
    events: events.length,
    stored: total(({ stored }) => stored),
    rejected: new Set(rejected.map(({ n }) => n)).size,
    deadLettered: deadLettered.size,
    invocations,
    failedInvocations,
    retried: total(({ retried }) => retried),
    deduplicated: total(({ deduplicated }) => deduplicated),
    digest: sim.trace().digest,
  }
}

/** The events in the batches that the mapping gave up, from the documents that it left. */
async function readDeadLetters(folder: string): Promise<Set<number>> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json'))
  const numbers = new Set<number>()
  for (const file of files) {
    const { payload } = JSON.parse(await readFile(join(folder, file), 'utf8')) as { payload: string }
    for (const { kinesis } of (JSON.parse(payload) as KinesisEvent).Records) {
      const data = Buffer.from(kinesis.data, 'base64')
      const decoded = decodeAggregate(data)
      const parts = decoded.kind === 'aggregated' ? decoded.records.map((member) => member.data) : [data]
      for (const part of parts) numbers.add(eventIn(part))
    }
  }
  return numbers
}
