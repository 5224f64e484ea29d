// Builds what the named campaign of faults needs and runs it: `pnpm chaos producer --seeds 2000`, or on the wire with `--wire`. A seed
// that fails says how to run it alone.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const campaigns = {
  producer: { workspace: '@org/kinesis-producer', file: 'packages/kinesis-producer/test/chaos/cli.ts' },
}

const root = fileURLToPath(new URL('..', import.meta.url))
const [name = '', ...args] = process.argv.slice(2)
if (!Object.hasOwn(campaigns, name)) {
  console.error(`There is no campaign "${name}". Name one of: ${Object.keys(campaigns).join(', ')}.`)
  process.exit(1)
}
const { workspace, file } = campaigns[name]
const turbo = fileURLToPath(new URL('../node_modules/turbo/bin/turbo', import.meta.url))
run([turbo, 'run', 'build', `--filter=${workspace}`, '--output-logs=errors-only', '--ui=stream'])
// Ctrl-C reaches the campaign as well, which then says how far it came.
process.on('SIGINT', () => {})
run([fileURLToPath(new URL(`../${file}`, import.meta.url)), ...args])

function run(command) {
  const { status } = spawnSync(process.execPath, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
  })
  if (status !== 0) process.exit(status ?? 1)
}
