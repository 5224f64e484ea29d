import { type Command, Option } from 'commander'
import { REPLAY_FORMATS, type ReplayFormat } from '../replay/detect-format.js'
import { type AskedFields, fieldMapText } from '../replay/field-map.js'
import { fieldMap, speed } from './flag-values.js'

/** How a file is replayed: the same flags here and in the demo, which hands them on. */
export interface ReplayFlags {
  format?: ReplayFormat
  map?: AskedFields
  speed: number | 'max'
  onBadLine: 'skip' | 'fail'
}

export const replayFlagNames = ['format', 'map', 'speed', 'onBadLine'] as const

export function addReplayFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--format <format>',
        "replay: default by the file's name (.csv, .ndjson, .jsonl), else by its first line",
      ).choices(REPLAY_FORMATS),
    )
    .option(
      '--map <fields>',
      'replay: user_id=FIELD,event_type=FIELD,timestamp=FIELD,value=FIELD; the rest goes into metadata',
      fieldMap,
    )
    .option('--speed <n>', 'replay: multiple of the recorded pace, or max', speed, 'max')
    .addOption(
      new Option('--on-bad-line <what>', 'replay: end at a line that cannot be read, or skip it')
        .choices(['skip', 'fail'])
        .default('fail'),
    )
}

/** The flags as they are written on a command line. */
export function replayArguments({ format, map, speed, onBadLine }: ReplayFlags): string[] {
  return [
    ...(format === undefined ? [] : ['--format', format]),
    ...(map === undefined ? [] : ['--map', fieldMapText(map)]),
    ...['--speed', String(speed), '--on-bad-line', onBadLine],
  ]
}
