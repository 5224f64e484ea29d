import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { counted } from '@org/demo-generator/command-line'
import { kinesisQuotas, StreamingError } from '@org/kinesis-core'
import { KinesisMonitor, type StreamHealth } from '@org/kinesis-monitor'
import { type Account, settleAccount } from './account.js'
import { accountText } from './account-view.js'
import { checkFiles } from './check-files.js'
import { collectEvidence } from './collect-evidence.js'
import { createRunFolders, keepAsLatest } from './data-dir.js'
import type { DemoOptions } from './demo-options.js'
import { generatorArguments } from './generator-arguments.js'
import { type GeneratorProcess, startGenerator } from './generator-process.js'
import { MemoryWatch } from './memory.js'
import { dummyCredentials, names, type Pipeline, startPipeline } from './pipeline.js'
import { type ProgressReporter, progressReporter } from './progress-reporter.js'
import { progressSampler } from './progress-sampler.js'
import type { ProgressSnapshot } from './progress-view.js'
import { visible } from './visible-text.js'

export interface RunReport extends Account {
  durationMs: number
  /** From the start of the run to the first event in the table; null where none came. */
  firstStoredAfterMs: number | null
  peakRssBytes: number
  crashes: number
  /** Replay: lines that could not be read and were passed over, as the generator says. */
  skippedLines: number
  /** Why the generator ended early, where it did; what had been put by then is accounted for. */
  failure: string | null
  health: StreamHealth
}

interface StartedRun {
  options: DemoOptions
  pipeline: Pipeline
  generator: GeneratorProcess
  reporter: ProgressReporter
  memory: MemoryWatch
  stop: AbortSignal
  startedAtMs: number
}

/** How long what is in the stream may take to come out at the end; beyond it the account is drawn up as things stand. */
const DRAIN_LIMIT_MS = 120_000
const PROGRESS_INTERVAL_MS = 250

/** Runs the whole pipeline until its end or until `stop` aborts, drains it, and balances the account. */
export async function runDemo(options: DemoOptions, stop: AbortSignal): Promise<RunReport> {
  await checkFiles(options)
  const folders = await createRunFolders(options.dataDir)
  const reporter = progressReporter(process.stderr)
  const startedAtMs = Date.now()
  const memory = new MemoryWatch()
  const pipeline = await startPipeline({
    shards: options.shards,
    folders,
    chaos: options.chaos,
    onLogLine: (line) => reporter.note(`  handler: ${visible(line)}`),
  })
  let generator: GeneratorProcess | undefined
  try {
    await writeFile(folders.topology, `${JSON.stringify(pipeline.topology, null, 2)}\n`)
    reporter.note(
      `${names.stream} (${counted(options.shards, 'shard')}) at ${pipeline.local.url}, data in ${folders.root}`,
    )
    const tooFast = rateBeyondShards(options)
    if (tooFast !== undefined) reporter.note(tooFast)
    generator = startGenerator(
      generatorArguments(options, folders, pipeline.local.url),
      pipeline.local.environment,
    )
    const failure = await runToEnd({ options, pipeline, generator, reporter, memory, stop, startedAtMs })
    const durationMs = Date.now() - startedAtMs
    const account = settleAccount(await collectEvidence(pipeline, folders))
    const health = await checkHealth(pipeline)
    const report: RunReport = {
      ...account,
      durationMs,
      firstStoredAfterMs: firstStoredAfterMs(pipeline, startedAtMs),
      peakRssBytes: memory.peakBytes,
      crashes: pipeline.crashes(),
      skippedLines: generator.progress.skippedLines,
      failure: failure?.message ?? null,
      health,
    }
    const json = `${JSON.stringify(report, null, 2)}\n`
    await writeFile(folders.account, json)
    for (const warning of generator.warnings) reporter.note(`warning: ${visible(warning)}`)
    // Where nothing was put before it failed, the reason says it all.
    if (failure === undefined || report.produced > 0) {
      await keepAsLatest(folders)
      process.stdout.write(`${accountText(report)}\n`)
    }
    if (options.jsonFile !== undefined) await writeJson(resolve(options.jsonFile), json)
    return report
  } finally {
    reporter.finish()
    generator?.kill()
    pipeline.dynamo.destroy()
    await pipeline.local.close()
  }
}

/** More than the shards take is asked for often enough, to see what happens; but nobody should wonder. */
function rateBeyondShards({ replay, ratePerSecond, shards }: DemoOptions): string | undefined {
  const needed = Math.ceil(ratePerSecond / kinesisQuotas.shardWriteRecordsPerSecond)
  if (replay !== undefined || needed <= shards) return undefined
  const each = count(kinesisQuotas.shardWriteRecordsPerSecond)
  return `${count(ratePerSecond)} events/s need ${needed} shards (each takes ${each} records/s); this stream has ${shards}, so the rest will be behind.`
}

/** Runs until the generator has ended and everything it put has come out; gives the reason where it ended badly. */
async function runToEnd(run: StartedRun): Promise<Error | undefined> {
  const { options, pipeline, generator, reporter, memory, stop, startedAtMs } = run
  let phase: ProgressSnapshot['phase'] = 'running'
  const onStop = () => {
    phase = 'draining'
    generator.stop()
  }
  stop.addEventListener('abort', onStop, { once: true })
  if (stop.aborted) onStop()
  const sample = progressSampler(pipeline, generator, {
    startedAtMs,
    durationSeconds: options.durationSeconds,
    stop,
  })
  const ticker = setInterval(() => {
    memory.sample()
    reporter.show(sample(phase))
  }, PROGRESS_INTERVAL_MS)
  try {
    memory.sample()
    const failure = await generator.done.then(
      () => undefined,
      (error: Error) => error,
    )
    phase = 'draining'
    reporter.show(sample(phase))
    const limit = AbortSignal.timeout(DRAIN_LIMIT_MS)
    // One after the other: a drain reads at once, and all readers of a shard share five reads a second.
    for (const reader of [pipeline.processing, pipeline.windowing, pipeline.delivery])
      await reader.drain(limit)
    memory.sample()
    return failure
  } finally {
    clearInterval(ticker)
    stop.removeEventListener('abort', onStop)
    reporter.finish()
  }
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function firstStoredAfterMs({ observer }: Pipeline, startedAtMs: number): number | null {
  // Maps keep the order of insertion, and the first to be inserted was the first to be stored.
  for (const { atMs } of observer.firstWrites.values()) return Math.round(atMs - startedAtMs)
  return null
}

async function checkHealth(pipeline: Pipeline): Promise<StreamHealth> {
  const monitor = new KinesisMonitor({
    topology: pipeline.topology,
    endpoint: pipeline.local.url,
    region: pipeline.local.region,
    credentials: dummyCredentials,
  })
  return monitor.checkStreamHealth()
}

/** Last of all: a disk that is full must not cost the account that was printed. */
async function writeJson(file: string, json: string): Promise<void> {
  await writeFile(file, json).catch((cause: NodeJS.ErrnoException) => {
    throw new StreamingError(`${file} cannot be written (${cause.code}). Name another file with --json.`, {
      code: 'BAD_FILE',
      retryable: false,
      cause,
    })
  })
}
