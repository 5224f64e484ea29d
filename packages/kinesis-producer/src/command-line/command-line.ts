import { StreamingError } from '@org/kinesis-core'
import { CommanderError } from 'commander'
import { ErrorOutput } from './error-output.js'
import { inputSources } from './input-source.js'
import { onInterruption } from './interruption.js'
import type { ProduceCommand } from './produce-command.js'
import { ProduceRun } from './produce-run.js'
import { producerSettings, recordBound } from './producer-settings.js'
import { produceProgram } from './program.js'
import { showProgress } from './progress.js'
import { exitStatus, type ProduceSummary, summaryJson, summaryText } from './summary.js'

const WRONG_USAGE = 2
const INTERRUPTED = 130

/** Does what the arguments say, and resolves with the status to exit with. */
export async function runCommandLine(args: readonly string[], version: string): Promise<number> {
  const output = new ErrorOutput(process.stderr)
  // Who reads the output may have left; the records are delivered all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  let status = 0
  const program = produceProgram(version, async (command) => {
    status = await produce(command, output)
  })
  try {
    await program.exitOverride().parseAsync(args, { from: 'user' })
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
    if (!StreamingError.isInstance(error)) throw error
    output.say(error.message)
    return WRONG_USAGE
  }
}

async function produce(command: ProduceCommand, output: ErrorOutput): Promise<number> {
  let run: ProduceRun | undefined
  onInterruption({
    first: () => {
      if (run === undefined) process.exit(INTERRUPTED)
      run.interrupt()
    },
    second: () => {
      if (run !== undefined) writeSummary(run.summary(), command, output)
      process.exit(INTERRUPTED)
    },
  })
  const sources = await inputSources(command.files)
  const settings =
    command.stream === undefined || command.dryRun
      ? undefined
      : await producerSettings(command, command.stream, process.env)
  const maxRecordBytes = settings?.maxRecordBytes ?? recordBound(command.maxRecordBytes, {})
  run = new ProduceRun(command, sources, settings, maxRecordBytes, output)
  const isTyped = command.files.includes('-') && process.stdin.isTTY
  if (isTyped) output.say('Reads what is typed, until Ctrl-D.')
  const stopProgress = output.isTerminal && !isTyped ? showProgress(run, output) : () => {}
  try {
    await run.run()
  } finally {
    stopProgress()
  }
  const summary = run.summary()
  writeSummary(summary, command, output)
  return exitStatus(summary)
}

function writeSummary(summary: ProduceSummary, { json }: ProduceCommand, output: ErrorOutput): void {
  output.clearProgress()
  process.stdout.write(`${json ? summaryJson(summary) : summaryText(summary)}\n`)
}
