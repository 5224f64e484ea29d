import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Where the runner is: an entry point of its own beside the bundle, which is `dist/index.js` or one of the chunks next to it. In the
 * source tree, where this package's own tests run, it is the module itself, whose types Node strips.
 */
export function runnerFile(): string {
  const built = fileURLToPath(new URL('./function/runner.js', import.meta.url))
  return existsSync(built) ? built : fileURLToPath(new URL('./runner.ts', import.meta.url))
}
