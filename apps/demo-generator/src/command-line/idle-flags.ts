import type { Command } from 'commander'

/** Ends with one clear error where a flag was given that would have no effect: whoever gave it expects one. */
export function refuseIdleFlags(command: Command, names: readonly string[], why: string): void {
  for (const option of command.options) {
    const name = option.attributeName()
    if (names.includes(name) && command.getOptionValueSource(name) === 'cli')
      command.error(`error: ${option.long} has no effect ${why}`)
  }
}
