/** Handlers that the tests run in child processes. */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

let invocations = 0

export const echo = async (event) => ({ event, invocation: ++invocations, pid: process.pid })

export const environment = async (_event, context) => ({
  env: process.env,
  functionName: context.functionName,
  awsRequestId: context.awsRequestId,
  invokedFunctionArn: context.invokedFunctionArn,
  memoryLimitInMB: context.memoryLimitInMB,
  remainingMs: context.getRemainingTimeInMillis(),
})

export const fail = async () => {
  throw new RangeError('seven is too many')
}

export const callBack = (_event, _context, callback) => {
  setTimeout(() => callback(new Error('the table is gone')), 30)
}

/** As a module does that also runs as somebody's child process; and, with the method behind it, one that insists. */
export const sendToParent = async () => {
  for (const message of [
    null,
    'ready',
    { type: 'settled', requestId: 'another', ok: true, payload: '"sent"' },
  ]) {
    process.send?.(message)
    process._send(message)
  }
  await sleep(50)
  return { send: typeof process.send, pid: process.pid }
}

export const hang = async () => {
  console.log('pid', process.pid)
  await sleep(600_000)
}

export const spin = async () => {
  console.log('pid', process.pid)
  for (;;);
}

/** Starts a process that holds its output, and does not wait for it. */
export const startProcess = async ({ detached = false, ms = 0, exits = false, spins = false }) => {
  const { pid } = spawn('sleep', ['97'], { stdio: 'inherit', detached })
  console.log('pid', pid)
  if (exits) process.exit(3)
  if (spins) for (;;);
  await sleep(ms)
  return { pid }
}

export const exit = async () => {
  process.exit(3)
}

export const wait = async ({ ms }) => {
  await sleep(ms)
  return { pid: process.pid }
}

export const large = async ({ bytes }) => 'x'.repeat(bytes)

export const unserializable = async () => ({ big: 1n })

const held = []
export const hoard = async () => {
  for (;;) {
    // Outside of the heap, where a heap limit would not see it.
    held.push(Buffer.alloc(16 * 1024 * 1024, 1))
    await sleep(20)
  }
}

export const keep = async ({ bytes }) => {
  held.push(Buffer.alloc(bytes, 1))
}

export const print = async () => {
  console.log('one line')
  console.log(
    JSON.stringify({
      _aws: {
        Timestamp: 0,
        CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [[]], Metrics: [{ Name: 'Count' }] }],
      },
      Count: 1,
    }),
  )
  console.error('an error line')
  process.stdout.write('no newline at the end')
}

export const printControls = async () => {
  console.log('one\u0001line')
  console.log('\u0001another\u0001')
  process.stdout.write('half\u0001a line')
}

export const remember = async ({ file }) => {
  const { appendFile } = await import('node:fs/promises')
  await appendFile(file, 'handled\n')
}
