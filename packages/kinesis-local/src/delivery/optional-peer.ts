import { createRequire } from 'node:module'
import { InvalidOptionError } from '@org/kinesis-core'

const require = createRequire(import.meta.url)

/** Heavy packages are loaded when an option needs them; one that is absent is a fault of that option, told at once. */
export function checkOptionalPeer(packageName: string, option: string, value: unknown): void {
  try {
    require.resolve(packageName)
  } catch {
    throw new InvalidOptionError(option, value, `It needs the package ${packageName}: install it.`)
  }
}
