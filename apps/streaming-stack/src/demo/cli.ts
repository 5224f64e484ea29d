import { Command, InvalidArgumentError, Option } from 'commander'
import { findRunFolders } from './data-dir.js'
import type { DemoOptions } from './demo-options.js'
import { runDemo } from './run-demo.js'
import { visible } from './visible-text.js'

interface Flags {
  shards: number
  rate: number
  duration?: number
  bad: number
  seed?: number
  data?: string
  json?: string
  chaos?: 'crash'
  replay?: string
  format: string
  map?: string
  speed: string
  onBadLine: string
}

const program = new Command('demo')
  .description('Runs the whole pipeline on this machine: generator, stream, processor, table, lake, windows.')
  .showHelpAfterError('Run with --help to see what there is.')
  // The subcommand has flags of the same names.
  .enablePositionalOptions()
  .option('--shards <n>', 'shards of the stream', integer(1, 100), 2)
  .option('--rate <n>', 'events per second, whatever the latency', positive, 100)
  .option('--duration <seconds>', 'how long to generate; without it, until Ctrl-C', positive)
  .option('--bad <fraction>', 'share of bad records, 0 to 1', fraction, 0)
  .option('--seed <n>', 'makes the generated events repeatable', integer(0, 2 ** 32 - 1))
  .option('--data <dir>', 'keep everything in this folder, which must be new or empty')
  .option('--json <file>', 'write the account to this file')
  .addOption(
    new Option('--chaos <kind>', 'crash: kill the processor between write and answer').choices(['crash']),
  )
  .option('--replay <file>', 'replay a file instead of generating; - is standard input')
  .addOption(
    new Option('--format <format>', 'of the replayed file')
      .choices(['ndjson', 'csv', 'clf'])
      .default('ndjson'),
  )
  .option('--map <fields>', 'user_id=FIELD,event_type=FIELD,timestamp=FIELD,value=FIELD')
  .option('--speed <n>', 'multiple of the recorded pace, or max', 'max')
  .addOption(
    new Option('--on-bad-line <what>', 'of the replayed file').choices(['skip', 'fail']).default('fail'),
  )
  .action(run)

program
  .command('query')
  .description('Answers SQL from what the last run left: the views lake, processed, windows and rejected.')
  .argument('<sql>', 'for example: select event_type, count(*) from lake group by 1')
  .option('--data <dir>', 'the folder of another run')
  .option('--json', 'one JSON line per row')
  .action(query)

async function run(flags: Flags): Promise<void> {
  const stop = new AbortController()
  const onSignal = () => {
    // Twice means now: children notice that their parent is gone and end themselves.
    if (stop.signal.aborted) process.exit(130)
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const report = await runDemo(optionsOf(flags), stop.signal)
  process.exitCode = report.balanced ? 0 : 1
}

function optionsOf(flags: Flags): DemoOptions {
  return {
    shards: flags.shards,
    ratePerSecond: flags.rate,
    durationSeconds: flags.duration,
    badFraction: flags.bad,
    seed: flags.seed,
    dataDir: flags.data,
    jsonFile: flags.json,
    chaos: flags.chaos,
    replay:
      flags.replay === undefined
        ? undefined
        : {
            file: flags.replay,
            format: flags.format,
            map: flags.map,
            speed: flags.speed,
            onBadLine: flags.onBadLine,
          },
  }
}

async function query(sql: string, { data, json }: { data?: string; json?: boolean }): Promise<void> {
  // Loaded here: a run has no use for the database, and start-up should not pay for it.
  const { formatTable, queryLake } = await import('./query.js')
  const result = await queryLake(await findRunFolders(data), sql)
  if (!json) {
    process.stdout.write(`${formatTable(result)}\n`)
    return
  }
  for (const row of result.rows) {
    const line = Object.fromEntries(result.columns.map((column, index) => [column, row[index]]))
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }
}

function integer(least: number, most: number) {
  return (text: string) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
    }
    return value
  }
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Give a number above 0.')
  return value
}

function fraction(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0 || value > 1)
    throw new InvalidArgumentError('Give a number from 0 to 1.')
  return value
}

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`demo: ${visible((error as Error).message)}\n`)
  process.exit(1)
}
