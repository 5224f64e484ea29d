/** Invokes a handler through the built package, tells which process it names and whether it succeeded, and closes; unless it is killed before. */
import { fileURLToPath } from 'node:url'
import { startLocal } from '../dist/index.js'

// As a parent that drains does.
process.on('SIGINT', () => {})
const [exportName, event = '{}'] = process.argv.slice(2)
const local = await startLocal({})
const fn = local.createFunction({
  name: 'child',
  file: fileURLToPath(new URL('./function-handlers.mjs', import.meta.url)),
  exportName,
  onLogLine: (line) => {
    if (line.startsWith('pid ')) process.send(Number(line.slice(4)))
  },
})
const { ok } = await fn.invoke(JSON.parse(event))
process.send(ok)
await local.close()
