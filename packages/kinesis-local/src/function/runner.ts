/**
 * The process in which one function's handler runs, an invocation at a time: Lambda's runtime in small. The parent forks it with
 * the module and the export in its arguments. It imports nothing of the package, so that it can be built, and run, by itself.
 */
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { ChildError, ChildMessage, InvokeMessage } from './child-protocol.js'

/** In the words of Lambda's runtime, as aws-lambda-nodejs-runtime-interface-client has them. */
const CALLBACK_HANDLER =
  'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.'

const [file = '', exportName = '', parentPid = '', memoryReports = ''] = process.argv.slice(2)
const env = process.env

// Lambda has no `process.send`: what a handler sends to a parent that it thinks it has must not be taken for an answer.
const sendToParent = process.send!.bind(process)
delete process.send

// The parent makes this process the leader of a group, so that what the handler starts ends with it; but for Windows, which has none.
const group = process.platform === 'win32' ? process.pid : -process.pid
process.on('disconnect', () => process.kill(group, 'SIGKILL'))
// A handler in an endless loop never hears of `disconnect`. The thread sees the parent go, and no orphan is left to burn a core. It is
// told who the parent is: by the time it runs, the parent it would see itself may already be the one that takes orphans in.
new Worker(
  `setInterval(() => { if (process.ppid !== ${Number(parentPid)}) process.kill(${group}, 'SIGKILL') }, 500)`,
  { eval: true, env: {}, stdout: true, stderr: true },
).unref()
const reportsMemory = memoryReports === 'report-memory'
if (reportsMemory) setInterval(reportMemory, 100).unref()

const writeOut = process.stdout.write.bind(process.stdout)
const writeErr = process.stderr.write.bind(process.stderr)

type Handler = (event: unknown, context: unknown) => unknown
let handler: Handler

try {
  const module: Record<string, unknown> = await import(pathToFileURL(file).href)
  const exported = module[exportName]
  if (typeof exported !== 'function') {
    throw Object.assign(new Error(`${exportName} is undefined or not exported by ${file}`), {
      name: 'Runtime.HandlerNotFound',
    })
  }
  // The runtime of Node.js 24 goes by the length alone: what such a handler calls back with, nobody would hear.
  if (exported.length >= 3) {
    throw Object.assign(new Error(CALLBACK_HANDLER), { name: 'Runtime.CallbackHandlerDeprecated' })
  }
  handler = exported as Handler
  process.on('message', (message: InvokeMessage) => void invoke(message))
  send({ type: 'ready' })
} catch (thrown) {
  const error = describe(thrown)
  // Lambda's own names for what keeps a module from loading; what it throws itself keeps its name.
  if (isMissingModule(thrown)) error.errorType = 'Runtime.ImportModuleError'
  else if (thrown instanceof SyntaxError) error.errorType = 'Runtime.UserCodeSyntaxError'
  send({ type: 'init-error', error })
}

async function invoke({ requestId, event, timeoutMs }: InvokeMessage): Promise<void> {
  let answer: ChildMessage
  try {
    const result = await handler(JSON.parse(event), contextOf(requestId, timeoutMs))
    answer = { type: 'settled', requestId, ok: true, payload: marshal(result) }
  } catch (thrown) {
    answer = { type: 'settled', requestId, ok: false, error: describe(thrown) }
  }
  // Pipes and the IPC channel are not ordered among themselves; the marks tell the parent that it has seen every line of this one.
  const mark = `\u0001end ${requestId}\u0001\n`
  writeOut(mark)
  writeErr(mark)
  send(answer)
}

function contextOf(requestId: string, timeoutMs: number) {
  const deadlineMs = performance.now() + timeoutMs
  return {
    awsRequestId: requestId,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: env.KINESIS_LOCAL_FUNCTION_ARN,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadlineMs - performance.now())),
  }
}

function marshal(result: unknown): string {
  try {
    return JSON.stringify(result) ?? 'null'
  } catch (cause) {
    throw Object.assign(new Error(`Unable to stringify response body: ${describe(cause).errorMessage}`), {
      name: 'Runtime.MarshalError',
    })
  }
}

function describe(thrown: unknown): ChildError {
  if (!(thrown instanceof Error)) {
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] }
  }
  return { errorType: thrown.name, errorMessage: thrown.message, trace: (thrown.stack ?? '').split('\n') }
}

function isMissingModule(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown } | null)?.code
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}

function send(message: ChildMessage): void {
  if (reportsMemory) reportMemory()
  post(message)
}

function reportMemory(): void {
  post({ type: 'memory', rssBytes: process.memoryUsage.rss() })
}

function post(message: ChildMessage): void {
  // The parent may be gone; `disconnect` then ends this process.
  if (process.connected) sendToParent(message, () => {})
}
