// What CI runs, and what anybody can run before a push: the README's test command, a short main job, and the packaging checks.
// Stops at the first failure; the last line is the true total of tests and checks.
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const pnpm = ['npx', '-y', packageManager]
const totals = { passed: 0, failed: 0, skipped: 0 }

run('test', [...pnpm, 'test'], {
  before: () => {
    for (const report of reports()) rmSync(report)
  },
  count: countTests,
})
run('typecheck', [...pnpm, 'typecheck'])
run('lint', [...pnpm, 'lint'])
run('unused code and dependencies', [...pnpm, 'check:unused'])
run('packages: publint and attw', [...pnpm, 'check:packages'])
const account = join(mkdtempSync(join(tmpdir(), 'kinesis-demo-')), 'account.json')
run('demo', [...pnpm, 'demo', '--duration', '10', '--rate', '200', '--bad', '0.02', '--json', account], {
  count: () => {
    const { balanced, produced } = JSON.parse(readFileSync(account, 'utf8'))
    return balanced && produced > 1_000
      ? { passed: 1, failed: 0, skipped: 0 }
      : { passed: 0, failed: 1, skipped: 0 }
  },
})
finish(0)

function run(name, [command, ...args], { before, count } = {}) {
  console.log(`\n── ${name}: ${[command, ...args].join(' ')}`)
  before?.()
  const startedAtMs = Date.now()
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const result = counted(status === 0, count)
  for (const key of Object.keys(totals)) totals[key] += result[key]
  console.log(
    `── ${name}: ${status === 0 ? 'ok' : `failed (status ${status})`} in ${Math.round((Date.now() - startedAtMs) / 1000)} s`,
  )
  if (status !== 0 || result.failed > 0) finish(1)
}

function counted(succeeded, count) {
  const none = { passed: 0, failed: 0, skipped: 0 }
  if (count === undefined) return { ...none, [succeeded ? 'passed' : 'failed']: 1 }
  try {
    const result = count()
    // A runner that fails without a failed test (a crash, a build error) is a failure all the same.
    return succeeded || result.failed > 0 ? result : { ...result, failed: 1 }
  } catch (error) {
    console.error(error)
    return { ...none, failed: 1 }
  }
}

function reports() {
  return globSync('{packages,apps}/*/.vitest/results.json', { cwd: root }).map((file) => join(root, file))
}

function countTests() {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const file of reports()) {
    const report = JSON.parse(readFileSync(file, 'utf8'))
    sum.passed += report.numPassedTests
    sum.failed += report.numFailedTests
    sum.skipped += report.numPendingTests + report.numTodoTests
  }
  if (sum.passed === 0) throw new Error('no test ran')
  return sum
}

function finish(status) {
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
  console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`)
  process.exit(status)
}
