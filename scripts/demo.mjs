// Builds what the demo needs (nothing, where it is built already) and then becomes the demo: turbo is gone by the time that
// events flow, so that Ctrl-C reaches the demo alone.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const turbo = fileURLToPath(new URL('../node_modules/turbo/bin/turbo', import.meta.url))

if (process.stderr.isTTY) process.stderr.write('Building what has changed …')
const build = spawnSync(
  process.execPath,
  [turbo, 'run', 'build', '--filter=@org/streaming-stack', '--output-logs=errors-only', '--ui=stream'],
  {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
  },
)
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
if (build.status !== 0) {
  process.stderr.write(`${build.stdout}${build.stderr}\nThe build failed; the demo was not started.\n`)
  process.exit(1)
}

await import('../apps/streaming-stack/dist/demo/cli.js')
