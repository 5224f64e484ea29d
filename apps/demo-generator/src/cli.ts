import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { checkReadable, checkWritable } from './command-line/check-files.js'
import { counted } from './command-line/counted.js'
import { above0, atLeast0, badFraction, notEmpty, seed, url, whole } from './command-line/flag-values.js'
import { refuseIdleFlags } from './command-line/idle-flags.js'
import { nodeVersionComplaint } from './command-line/node-version.js'
import { addReplayFlags, type ReplayFlags, replayFlagNames } from './command-line/replay-flags.js'
import type {
  GeneratorMessage,
  GeneratorMode,
  GeneratorOptions,
  GeneratorProgress,
  GeneratorSummary,
  PartitionKeyChoice,
} from './generator-options.js'
import { runGenerator } from './run-generator.js'

interface Flags extends ReplayFlags {
  streamName: string
  mode: GeneratorMode['name']
  eventsPerSecond: number
  duration?: number
  burstEvents: number
  file?: string
  partitionKey: PartitionKeyChoice
  ordering: 'none' | 'per-key'
  bad: number
  seed?: number
  region?: string
  endpointUrl?: string
  ledger?: string
  json?: string
  progress?: 'ipc'
}

const DEFAULT_DURATION_SECONDS = 60
const PROGRESS_INTERVAL_MS = 200

/** What each mode makes use of; the other flags go with every mode. */
const flagsOfMode: Record<GeneratorMode['name'], readonly string[]> = {
  continuous: ['eventsPerSecond', 'duration'],
  burst: ['burstEvents', 'duration'],
  single: [],
  replay: ['file', 'duration', ...replayFlagNames],
}

const program = new Command('demo-generator')
  .description('Puts user events into a Kinesis stream: generated, or replayed from a file.')
  .showHelpAfterError('Run with --help to see what there is.')
  .requiredOption('--stream-name <name>', 'the stream', notEmpty)
  .addOption(
    new Option('--mode <mode>').choices(['continuous', 'burst', 'single', 'replay']).default('continuous'),
  )
  .option('--events-per-second <n>', 'continuous: the rate, whatever the latency', above0, 10)
  .option(
    '--duration <seconds>',
    'continuous: how long, 0 for until stopped (default: 60); burst: spread over it; replay: stop after it',
    atLeast0,
  )
  .option('--burst-events <n>', 'burst: how many', whole(1), 1_000)
  .option('--file <file>', 'replay: the file; - is standard input', notEmpty)

addReplayFlags(program)
  .addOption(
    new Option('--partition-key <what>', 'order is kept per key')
      .choices(['user_id', 'user_id#session_id'])
      .default('user_id'),
  )
  .addOption(
    new Option('--ordering <what>', 'of events with the same key')
      .choices(['none', 'per-key'])
      .default('per-key'),
  )
  .option(
    '--bad <fraction>',
    'share of bad records, below 1; replay: inserted between the replayed ones',
    badFraction,
    0,
  )
  .option('--seed <n>', 'repeats the same events', seed)
  .option('--region <region>', 'where the stream is', notEmpty)
  .option('--endpoint-url <url>', 'another endpoint than AWS', url)
  .option('--ledger <file>', 'write what became of each event, tab-separated', notEmpty)
  .option('--json <file>', 'write the summary', notEmpty)
  .addOption(new Option('--progress <how>').choices(['ipc']).hideHelp())
  .action(run)

async function run(flags: Flags): Promise<void> {
  const options = optionsOf(flags)
  for (const [flag, file] of [
    ['--ledger', flags.ledger],
    ['--json', flags.json],
  ] as const)
    if (file !== undefined) await checkWritable(flag, file)
  if (options.mode.name === 'replay' && options.mode.file !== '-')
    await checkReadable('--file', options.mode.file)
  const hasParent = flags.progress === 'ipc'
  const stop = stopSignal(hasParent)
  const generator = runGenerator(options, stop)
  const ticker = setInterval(() => {
    if (hasParent) void tellParent({ type: 'progress', ...generator.progress })
    else if (process.stderr.isTTY)
      process.stderr.write(`\r${progressText(generator.progress, stop.aborted)}\u001b[K`)
  }, PROGRESS_INTERVAL_MS)
  try {
    const summary = await generator.done
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(summary, null, 2)}\n`)
    if (hasParent) await tellParent({ type: 'end', warnings: summary.warnings, ...generator.progress })
    finish(summary, hasParent)
  } finally {
    clearInterval(ticker)
    if (process.stderr.isTTY && !hasParent) process.stderr.write('\r\u001b[K')
    if (process.connected) {
      process.removeAllListeners('disconnect')
      process.disconnect()
    }
  }
}

/** Resolves when it is on its way: what is sent just before the end would be lost otherwise. */
function tellParent(message: GeneratorMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve()
    process.send(message, () => resolve())
  })
}

/** Says what became of the events. Failed ones are an error here; a parent counts them itself. */
function finish(summary: GeneratorSummary, hasParent: boolean): void {
  const { acknowledged, failed, skippedLines, warnings, durationMs, eventsPerSecond, firstError, failure } =
    summary
  if (!hasParent) {
    const seconds = (durationMs / 1000).toFixed(1)
    process.stdout.write(
      `${counted(acknowledged, 'event')} delivered in ${seconds} s (${eventsPerSecond.toFixed(1)} events/s)\n`,
    )
    if (skippedLines > 0) process.stdout.write(`${counted(skippedLines, 'line')} skipped\n`)
    for (const warning of warnings) process.stderr.write(`demo-generator: warning: ${warning}\n`)
  }
  if (failure !== undefined) throw new Error(failure)
  if (failed > 0 && !hasParent)
    throw new Error(`${counted(failed, 'event')} could not be delivered. The first: ${firstError}`)
}

/** Ctrl-C drains, a second one ends at once. Under a parent, which gets the same Ctrl-C, the parent decides. */
function stopSignal(hasParent: boolean): AbortSignal {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) {
      process.stderr.write('\ndemo-generator: ended at once, without waiting for what was on its way.\n')
      process.exit(130)
    }
    stop.abort()
  }
  process.on('SIGINT', hasParent ? () => {} : onSignal)
  process.on('SIGTERM', onSignal)
  if (hasParent) {
    process.on('message', (message: { type?: string }) => message.type === 'stop' && stop.abort())
    // Nobody is left to drain for.
    process.on('disconnect', () => !stop.signal.aborted && process.exit(1))
  }
  return stop.signal
}

function optionsOf(flags: Flags): GeneratorOptions {
  refuseFlagsOfOtherModes(flags.mode)
  return {
    streamName: flags.streamName,
    mode: modeOf(flags),
    partitionKey: flags.partitionKey,
    ordering: flags.ordering,
    badFraction: flags.bad,
    seed: flags.seed,
    region: flags.region,
    endpointUrl: flags.endpointUrl,
    ledgerFile: flags.ledger,
  }
}

function modeOf(flags: Flags): GeneratorMode {
  const { duration } = flags
  switch (flags.mode) {
    case 'continuous':
      return {
        name: 'continuous',
        perSecond: flags.eventsPerSecond,
        durationSeconds: duration ?? DEFAULT_DURATION_SECONDS,
      }
    case 'burst':
      return {
        name: 'burst',
        events: flags.burstEvents,
        durationSeconds: duration === 0 ? undefined : duration,
      }
    case 'single':
      return { name: 'single' }
    case 'replay':
      if (flags.file === undefined)
        return program.error('error: --mode replay needs --file FILE, or --file - for standard input')
      return {
        name: 'replay',
        file: flags.file,
        format: flags.format,
        map: flags.map ?? {},
        speed: flags.speed,
        onBadLine: flags.onBadLine,
        durationSeconds: duration === 0 ? undefined : duration,
      }
  }
}

function refuseFlagsOfOtherModes(mode: GeneratorMode['name']): void {
  for (const [other, names] of Object.entries(flagsOfMode)) {
    const idle = names.filter((name) => !flagsOfMode[mode].includes(name))
    refuseIdleFlags(program, idle, `with --mode ${mode}: it belongs to --mode ${other}.`)
  }
}

function progressText(progress: GeneratorProgress, isDraining: boolean): string {
  const { produced, acknowledged, failed, behind } = progress
  const left = produced - acknowledged - failed
  return [
    ...(isDraining ? [`draining, ${left.toLocaleString('en-US')} left; Ctrl-C again ends at once`] : []),
    `${acknowledged.toLocaleString('en-US')} delivered`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(behind > 0 && !isDraining ? [`${behind} behind`] : []),
  ].join(', ')
}

try {
  const complaint = nodeVersionComplaint()
  if (complaint !== undefined) throw new Error(complaint)
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`demo-generator: ${(error as Error).message}\n`)
  process.exit(1)
}
