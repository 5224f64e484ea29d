export { checkReadable, checkWritable } from './command-line/check-files.js'
export { counted } from './command-line/counted.js'
export { above0, badFraction, notEmpty, seed, whole } from './command-line/flag-values.js'
export { refuseIdleFlags } from './command-line/idle-flags.js'
export {
  addReplayFlags,
  type ReplayFlags,
  replayArguments,
  replayFlagNames,
} from './command-line/replay-flags.js'
export type { GeneratorMessage, GeneratorProgress } from './generator-options.js'
