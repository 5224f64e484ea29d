import { writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import type {
  GeneratorMode,
  GeneratorOptions,
  GeneratorSummary,
  PartitionKeyChoice,
} from './generator-options.js'
import type { ReplayFormat } from './replay/read-events.js'
import { runGenerator } from './run-generator.js'

interface Flags {
  streamName: string
  mode: GeneratorMode['name']
  eventsPerSecond: number
  duration?: number
  burstEvents: number
  file?: string
  format: ReplayFormat
  map?: string
  speed: number | 'max'
  onBadLine: 'skip' | 'fail'
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

const program = new Command('demo-generator')
  .description('Puts user events into a Kinesis stream: generated, or replayed from a file.')
  .showHelpAfterError('Run with --help to see what there is.')
  .requiredOption('--stream-name <name>', 'the stream')
  .addOption(
    new Option('--mode <mode>').choices(['continuous', 'burst', 'single', 'replay']).default('continuous'),
  )
  .option('--events-per-second <n>', 'continuous: the rate, whatever the latency', above0, 10)
  .option(
    '--duration <seconds>',
    'continuous: how long, 0 for until stopped (default: 60); burst: spread over it',
    atLeast0,
  )
  .option('--burst-events <n>', 'burst: how many', whole(1), 1_000)
  .option('--file <file>', 'replay: the file; - is standard input')
  .addOption(new Option('--format <format>', 'replay').choices(['ndjson', 'csv', 'clf']).default('ndjson'))
  .option(
    '--map <fields>',
    'replay: user_id=FIELD,event_type=FIELD,timestamp=FIELD,value=FIELD; the rest goes into metadata',
  )
  .option('--speed <n>', 'replay: multiple of the recorded pace, or max', speed, 'max')
  .addOption(new Option('--on-bad-line <what>', 'replay').choices(['skip', 'fail']).default('fail'))
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
  .option('--bad <fraction>', 'share of bad records, 0 to 1', fraction, 0)
  .option('--seed <n>', 'repeats the same events', whole(0))
  .option('--region <region>')
  .option('--endpoint-url <url>', 'another endpoint than AWS', url)
  .option('--ledger <file>', 'write what became of each event, tab-separated')
  .option('--json <file>', 'write the summary')
  .addOption(new Option('--progress <how>').choices(['ipc']).hideHelp())
  .action(run)

async function run(flags: Flags): Promise<void> {
  const options = optionsOf(flags)
  const stop = stopSignal(flags.progress === 'ipc')
  const generator = runGenerator(options, stop)
  const report = (type: 'progress' | 'done') => process.send?.({ type, ...generator.progress })
  const ticker = setInterval(() => {
    if (flags.progress === 'ipc') report('progress')
    else if (process.stderr.isTTY) process.stderr.write(`\r${progressText(generator.progress)} `)
  }, PROGRESS_INTERVAL_MS)
  try {
    const summary = await generator.done
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(summary, null, 2)}\n`)
    if (flags.progress === 'ipc') report('done')
    else finish(summary)
  } finally {
    clearInterval(ticker)
    if (process.stderr.isTTY && flags.progress !== 'ipc') process.stderr.write('\r\u001b[K')
    if (process.connected) {
      process.removeAllListeners('disconnect')
      process.disconnect()
    }
  }
}

function finish(summary: GeneratorSummary): void {
  const { acknowledged, failed, badLines, durationMs, eventsPerSecond, firstError } = summary
  const seconds = (durationMs / 1000).toFixed(1)
  process.stdout.write(
    `${acknowledged} events delivered in ${seconds} s (${eventsPerSecond.toFixed(1)} events/s)\n`,
  )
  if (badLines > 0) process.stdout.write(`${badLines} lines skipped\n`)
  if (failed > 0) throw new Error(`${failed} events could not be delivered. The first: ${firstError}`)
}

/** Ctrl-C drains, a second one ends at once. Under a parent, which gets the same Ctrl-C, the parent decides. */
function stopSignal(hasParent: boolean): AbortSignal {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130)
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
        map: flags.map,
        speed: flags.speed,
        onBadLine: flags.onBadLine,
      }
  }
}

function progressText({
  acknowledged,
  failed,
  behind,
}: {
  acknowledged: number
  failed: number
  behind: number
}): string {
  return `${acknowledged} delivered${failed > 0 ? `, ${failed} failed` : ''}${behind > 0 ? `, ${behind} behind` : ''}`
}

function above0(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Give a number above 0.')
  return value
}

function atLeast0(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Give a number of seconds, 0 or more.')
  return value
}

function whole(least: number) {
  return (text: string) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`Give a whole number, ${least} or more.`)
    return value
  }
}

function fraction(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0 || value >= 1)
    throw new InvalidArgumentError('Give a number from 0 to below 1.')
  return value
}

function speed(text: string): number | 'max' {
  if (text === 'max') return 'max'
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Give a number above 0, or max.')
  return value
}

function url(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('Give a URL such as http://127.0.0.1:4566.')
  }
  return text
}

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`demo-generator: ${(error as Error).message}\n`)
  process.exit(1)
}
