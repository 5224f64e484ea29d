import { replayArguments } from '@org/demo-generator/command-line'
import type { RunFolders } from './data-dir.js'
import type { DemoOptions } from './demo-options.js'
import { names } from './pipeline.js'

/** The generator's command line for this run. */
export function generatorArguments(options: DemoOptions, folders: RunFolders, url: string): string[] {
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
    ...['--mode', 'replay', '--file', replay.file, ...replayArguments(replay.flags)],
    ...(options.durationSeconds === undefined ? [] : ['--duration', String(options.durationSeconds)]),
  ]
}
