// Builds what one of several commands needs, and runs it with the arguments behind its name.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * @param {string} kind what the commands are, for whoever names another
 * @param {Record<string, { workspace: string, file: string }>} commands by name
 */
export function runBuilt(kind, commands) {
  const [name = '', ...args] = process.argv.slice(2)
  if (!Object.hasOwn(commands, name)) {
    console.error(`There is no ${kind} "${name}". Name one of: ${Object.keys(commands).join(', ')}.`)
    process.exit(1)
  }
  const { workspace, file } = commands[name]
  const turbo = fileURLToPath(new URL('../node_modules/turbo/bin/turbo', import.meta.url))
  run([turbo, 'run', 'build', `--filter=${workspace}`, '--output-logs=errors-only', '--ui=stream'])
  run([fileURLToPath(new URL(`../${file}`, import.meta.url)), ...args])
}

function run(command) {
  const { status } = spawnSync(process.execPath, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
  })
  if (status !== 0) process.exit(status ?? 1)
}
