// Builds what the named bench needs and runs it: `pnpm bench local --quick --json result.json`. Each prints a table, and with --json
// writes `{ bench, machine, sides, ratios }`.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const benches = {
  local: { workspace: '@org/kinesis-local', file: 'packages/kinesis-local/bench/local.ts' },
  pipeline: { workspace: '@org/streaming-stack', file: 'apps/streaming-stack/bench/pipeline.ts' },
  producer: { workspace: '@org/kinesis-producer', file: 'packages/kinesis-producer/bench/producer.ts' },
  soak: { workspace: '@org/streaming-stack', file: 'apps/streaming-stack/bench/soak.ts' },
}

const root = fileURLToPath(new URL('..', import.meta.url))
const [name = '', ...args] = process.argv.slice(2)
if (!Object.hasOwn(benches, name)) {
  console.error(`There is no bench "${name}". Name one of: ${Object.keys(benches).join(', ')}.`)
  process.exit(1)
}
const { workspace, file } = benches[name]
const turbo = fileURLToPath(new URL('../node_modules/turbo/bin/turbo', import.meta.url))
const build = ['run', 'build', `--filter=${workspace}`, '--output-logs=errors-only', '--ui=stream']
run([turbo, ...build])
run([fileURLToPath(new URL(`../${file}`, import.meta.url)), ...args])

function run(command) {
  const { status } = spawnSync(process.execPath, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
  })
  if (status !== 0) process.exit(status ?? 1)
}
