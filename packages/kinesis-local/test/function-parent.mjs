/** Invokes a handler that never comes back, through the built package, tells which process it runs in, and waits to be killed. */
import { fileURLToPath } from 'node:url'
import { startLocal } from '../dist/index.js'

const local = await startLocal({})
const fn = local.createFunction({
  name: 'never-back',
  file: fileURLToPath(new URL('./function-handlers.mjs', import.meta.url)),
  exportName: process.argv[2],
  onLogLine: (line) => {
    if (line.startsWith('pid ')) process.send(Number(line.slice(4)))
  },
})
await fn.invoke({})
