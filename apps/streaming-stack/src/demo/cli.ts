import {
  above0,
  addReplayFlags,
  badFraction,
  notEmpty,
  type ReplayFlags,
  refuseIdleFlags,
  replayFlagNames,
  seed,
  whole,
} from '@org/demo-generator/command-line'
import { Command, Option } from 'commander'
import { findRunFolders } from './data-dir.js'
import type { DemoOptions } from './demo-options.js'
import { runDemo } from './run-demo.js'
import { viewsText } from './views.js'
import { visible } from './visible-text.js'

interface Flags extends ReplayFlags {
  shards: number
  rate: number
  duration?: number
  bad: number
  seed?: number
  data?: string
  json?: string
  chaos?: 'crash'
  replay?: string
}

/** On a terminal, so that a row of a lake stays readable; what is piped is whole. */
const MAX_CELL_WIDTH = 40

const PARENT_CHECK_MS = 1_000

const program = new Command('demo')
  .description('Runs the whole pipeline on this machine: generator, stream, processor, table, lake, windows.')
  .showHelpAfterError('Run with --help to see what there is.')
  // The subcommand has flags of the same names.
  .enablePositionalOptions()
  .option('--shards <n>', 'shards of the stream', whole(1, 100), 2)
  .option('--rate <n>', 'events per second, whatever the latency', above0, 100)
  .option(
    '--duration <seconds>',
    'how long to generate or replay; without it, until Ctrl-C or the end of the file',
    above0,
  )
  .option(
    '--bad <fraction>',
    'share of bad records, below 1; replay: inserted between the replayed ones',
    badFraction,
    0,
  )
  .option('--seed <n>', 'makes the generated events repeatable', seed)
  .option('--data <dir>', 'keep everything in this folder, which must be new or empty', notEmpty)
  .option('--json <file>', 'write the account to this file', notEmpty)
  .addOption(
    new Option('--chaos <kind>', 'crash: kill the processor between write and answer').choices(['crash']),
  )
  .option('--replay <file>', 'replay a file instead of generating; - is standard input', notEmpty)

addReplayFlags(program).action(run)

program
  .command('query')
  .description('Answers SQL from what the last run left.')
  .argument('<sql>', 'for example: select event_type, count(*) from lake group by 1', notEmpty)
  .option('--data <dir>', 'the folder of another run', notEmpty)
  .option('--json', 'one JSON line per row')
  .addHelpText('after', `\n${viewsText()}`)
  .action(query)

async function run(flags: Flags): Promise<void> {
  const options = optionsOf(flags)
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) {
      // Twice means now: children notice that their parent is gone and end themselves.
      process.stderr.write('\ndemo: Ended at once, without draining and without an account.\n')
      process.exit(130)
    }
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  whenParentIsGone(() => stop.abort())
  const report = await runDemo(options, stop.signal)
  if (report.failure !== null) throw new Error(report.failure)
  process.exitCode = report.balanced ? 0 : 1
}

/**
 * A package manager that is killed cannot hand the signal on: then the run drains, instead of going on with nobody to see it. Without one the
 * parent is a shell, which may leave a run behind on purpose.
 */
function whenParentIsGone(end: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    end()
  }, PARENT_CHECK_MS)
  watch.unref()
}

function optionsOf(flags: Flags): DemoOptions {
  if (flags.replay === undefined) refuseIdleFlags(program, replayFlagNames, 'without --replay.')
  else refuseIdleFlags(program, ['rate'], 'with --replay: the pace is that of the file, by --speed.')
  return {
    shards: flags.shards,
    ratePerSecond: flags.rate,
    durationSeconds: flags.duration,
    badFraction: flags.bad,
    seed: flags.seed,
    dataDir: flags.data,
    jsonFile: flags.json,
    chaos: flags.chaos,
    replay: flags.replay === undefined ? undefined : { file: flags.replay, flags },
  }
}

async function query(sql: string, { data, json }: { data?: string; json?: boolean }): Promise<void> {
  const flagsOfRun = program.options.map((option) => option.attributeName())
  refuseIdleFlags(program, flagsOfRun, 'before query: give flags of the query after it.')
  // Loaded here: a run has no use for the database, and start-up should not pay for it.
  const { formatTable, queryRun } = await import('./query.js')
  const result = await queryRun(await findRunFolders(data), sql)
  if (!json) {
    process.stdout.write(`${formatTable(result, process.stdout.isTTY ? MAX_CELL_WIDTH : undefined)}\n`)
    return
  }
  for (const row of result.rows) {
    const line = Object.fromEntries(result.columns.map((column, index) => [column, row[index]]))
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }
}

// Whoever reads the output may have had enough of it: `| head` ends the query, and is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
// Of a run that nobody watches any more.
process.stderr.on('error', () => {})

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`demo: ${visible((error as Error).message)}\n`)
  process.exit(1)
}
