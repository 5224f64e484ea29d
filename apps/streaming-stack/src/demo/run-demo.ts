import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KinesisMonitor, type StreamHealth } from '@org/kinesis-monitor'
import { type Account, type Evidence, position, type RejectedEvidence, settleAccount } from './account.js'
import { accountText } from './account-view.js'
import { checkFiles } from './check-files.js'
import { createRunFolders, type RunFolders } from './data-dir.js'
import { dumpTable, readFailures, readLake } from './evidence.js'
import { type GeneratorProcess, startGenerator } from './generator-process.js'
import { type LedgerEntry, readLedger } from './ledger.js'
import { MemoryWatch } from './memory.js'
import { dummyCredentials, names, type Pipeline, startPipeline } from './pipeline.js'
import { type ProgressReporter, progressReporter } from './progress-reporter.js'
import type { ProgressSnapshot } from './progress-view.js'

export interface DemoOptions {
  shards: number
  ratePerSecond: number
  /** Undefined: until it is stopped, or the replayed file ends. */
  durationSeconds: number | undefined
  badFraction: number
  seed: number | undefined
  dataDir: string | undefined
  jsonFile: string | undefined
  chaos: 'crash' | undefined
  replay: ReplayOptions | undefined
}

interface ReplayOptions {
  file: string
  format: string
  map: string | undefined
  speed: string
  onBadLine: string
}

export interface RunReport extends Account {
  durationMs: number
  /** From the start of the process to the first event in the table; null where none came. */
  firstStoredAfterMs: number | null
  peakRssBytes: number
  crashes: number
  health: StreamHealth
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
    onLogLine: (line) => reporter.note(`  handler: ${line}`),
  })
  let generator: GeneratorProcess | undefined
  try {
    reporter.note(
      `${names.stream} (${options.shards} shards) at ${pipeline.local.url}, data in ${folders.root}`,
    )
    generator = startGenerator(
      generatorArgs(options, folders, pipeline.local.url),
      pipeline.local.environment,
    )
    await runToEnd(options, pipeline, generator, reporter, memory, stop, startedAtMs)
    const durationMs = Date.now() - startedAtMs
    const account = settleAccount(await collectEvidence(pipeline, folders))
    const health = await checkHealth(pipeline)
    const report: RunReport = {
      ...account,
      durationMs,
      firstStoredAfterMs: firstStoredAfterMs(pipeline),
      peakRssBytes: memory.peakBytes,
      crashes: pipeline.crashes(),
      health,
    }
    await writeReport(report, folders, options.jsonFile)
    process.stdout.write(`${accountText(report)}\n`)
    return report
  } finally {
    reporter.finish()
    generator?.kill()
    pipeline.dynamo.destroy()
    await pipeline.local.close()
  }
}

async function runToEnd(
  options: DemoOptions,
  pipeline: Pipeline,
  generator: GeneratorProcess,
  reporter: ProgressReporter,
  memory: MemoryWatch,
  stop: AbortSignal,
  startedAtMs: number,
): Promise<void> {
  let phase: ProgressSnapshot['phase'] = 'running'
  const onStop = () => {
    phase = 'draining'
    generator.stop()
  }
  stop.addEventListener('abort', onStop, { once: true })
  if (stop.aborted) onStop()
  const snapshots = snapshotter(options, pipeline, generator, startedAtMs)
  const ticker = setInterval(() => {
    void memory.sample()
    reporter.show(snapshots(phase))
  }, PROGRESS_INTERVAL_MS)
  try {
    await memory.sample()
    await generator.done
    phase = 'draining'
    reporter.show(snapshots(phase))
    const limit = AbortSignal.timeout(DRAIN_LIMIT_MS)
    // One after the other: a drain reads at once, and all readers of a shard share five reads a second.
    for (const reader of [pipeline.processing, pipeline.windowing, pipeline.delivery])
      await reader.drain(limit)
    await memory.sample()
  } finally {
    clearInterval(ticker)
    stop.removeEventListener('abort', onStop)
    reporter.finish()
  }
}

/** Rates are over the last two seconds or so: steady enough to read, quick enough to follow. */
function snapshotter(
  options: DemoOptions,
  pipeline: Pipeline,
  generator: GeneratorProcess,
  startedAtMs: number,
) {
  const history: { atMs: number; produced: number; stored: number }[] = []
  const { durationSeconds } = options
  return (phase: ProgressSnapshot['phase']): ProgressSnapshot => {
    const atMs = Date.now()
    const { acknowledged, failed, behind } = generator.progress
    const stored = pipeline.observer.firstWrites.size
    history.push({ atMs, produced: acknowledged, stored })
    while (history.length > 2 && history[0]!.atMs < atMs - 2_000) history.shift()
    const first = history[0]!
    const perSecond = (count: number) => (atMs === first.atMs ? 0 : (count * 1000) / (atMs - first.atMs))
    const processing = pipeline.processing.stats()
    return {
      elapsedMs: atMs - startedAtMs,
      totalMs: durationSeconds === undefined ? undefined : durationSeconds * 1000,
      phase,
      produced: acknowledged,
      producedPerSecond: perSecond(acknowledged - first.produced),
      behind,
      putFailures: failed,
      stored,
      storedPerSecond: perSecond(stored - first.stored),
      rejected: pipeline.local.queueMessages(names.rejectedQueue).length,
      delivered: pipeline.delivery.stats().deliveredRecords,
      windowed: pipeline.windowing.stats().recordsResolved,
      lagMs: processing.lagMs,
      invocationErrors: processing.failedInvocations,
    }
  }
}

async function collectEvidence(pipeline: Pipeline, folders: RunFolders): Promise<Evidence> {
  const ledger: LedgerEntry[] = []
  for await (const entry of readLedger(folders.ledger)) ledger.push(entry)
  const stored = new Map<string, number>()
  await dumpTable(pipeline.dynamo, names.processedTable, folders.processed, ({ event_id: eventId }) => {
    stored.set(String(eventId), (stored.get(String(eventId)) ?? 0) + 1)
  })
  let windowed = 0
  await dumpTable(pipeline.dynamo, names.windowsTable, folders.windows, ({ event_count: events }) => {
    // Partials of one window add up.
    windowed += Number(events)
  })
  const rejected = pipeline.local.queueMessages(names.rejectedQueue).map(({ body }) => body)
  await writeFile(folders.rejected, rejected.map((body) => `${body}\n`).join(''))
  return {
    ledger,
    stored,
    firstWrites: pipeline.observer.firstWrites,
    rejected: rejected.map(rejectedEvidence),
    deadLettered: await readFailures(folders.failures),
    lake: await readLake(folders.lake),
    windowed,
  }
}

function rejectedEvidence(body: string): RejectedEvidence {
  const envelope = JSON.parse(body) as Record<'shardId' | 'sequenceNumber' | 'reasonCode' | 'payload', string>
  return {
    position: position(envelope.shardId, envelope.sequenceNumber),
    reasonCode: envelope.reasonCode,
    payload: envelope.payload,
  }
}

function firstStoredAfterMs({ observer }: Pipeline): number | null {
  // Maps keep the order of insertion, and the first to be inserted was the first to be stored.
  for (const { atMs } of observer.firstWrites.values()) return Math.round(atMs - performance.timeOrigin)
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

async function writeReport(
  report: RunReport,
  folders: RunFolders,
  jsonFile: string | undefined,
): Promise<void> {
  const text = `${JSON.stringify(report, null, 2)}\n`
  await writeFile(folders.account, text)
  if (jsonFile !== undefined) await writeFile(resolve(jsonFile), text)
}

function generatorArgs(options: DemoOptions, folders: RunFolders, url: string): string[] {
  const common = [
    ['--stream-name', names.stream],
    ['--endpoint-url', url],
    ['--ledger', folders.ledger],
    ['--bad', String(options.badFraction)],
    ...(options.seed === undefined ? [] : [['--seed', String(options.seed)]]),
  ].flat()
  const { replay } = options
  if (replay === undefined) {
    return [
      ...common,
      ...['--mode', 'continuous', '--events-per-second', String(options.ratePerSecond)],
      ...['--duration', String(options.durationSeconds ?? 0)],
    ]
  }
  return [
    ...common,
    ...['--mode', 'replay', '--file', replay.file, '--format', replay.format, '--speed', replay.speed],
    ...['--on-bad-line', replay.onBadLine],
    ...(replay.map === undefined ? [] : ['--map', replay.map]),
  ]
}
