import { existsSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'

/**
 * `crash-after`: the handler has done its work, and the process dies before its response is reported; `out-of-memory` the same, killed
 * as one that has passed `memoryMb`. `timeout`: it has done its work, and is not heard of until its time is over. `throttle`: the handler is not
 * invoked, which takes none of a batch's retries.
 */
export type FunctionFault =
  | 'crash-before'
  | 'crash-after'
  | 'throw'
  | 'timeout'
  | 'out-of-memory'
  | 'throttle'

export interface LocalFunctionOptions {
  /** 1 to 64 letters, digits, `-` and `_`. */
  name: string
  /** Absolute path of a built ES module. */
  file: string
  /** The export that is the handler: `(event, context) => result` or a promise of it. @default 'handler' */
  exportName?: string
  /** Added to the Lambda-like environment; nothing of this process's own environment is passed on but PATH, HOME and the like. */
  environment?: Record<string, string>
  /** After this an invocation fails and its process is killed; milliseconds, up to 900,000. @default 60_000 */
  timeoutMs?: number
  /** A process whose resident size passes this is killed; MB, 128 to 10,240. @default 512 */
  memoryMb?: number
  /** Processes at once, started on demand and reused, one invocation each at a time; more invocations wait. @default 10 */
  maxConcurrency?: number
  /** Every line the handler prints, but those in embedded metric format, which go to the metrics. @default standard error, behind the function's name */
  onLogLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** Decides what goes wrong with an invocation, counted from 1. @default nothing */
  fault?: (invocation: { number: number; event: unknown }) => FunctionFault | undefined
}

export interface ResolvedLocalFunctionOptions {
  name: string
  file: string
  exportName: string
  environment: Record<string, string>
  timeoutMs: number
  memoryMb: number
  maxConcurrency: number
  onLogLine: (line: string, stream: 'stdout' | 'stderr') => void
  fault: (invocation: { number: number; event: unknown }) => FunctionFault | undefined
}

/** Of all variables together, as JSON ("Lambda quotas"). The system's own limit, which a process could not be started beyond, is far above. */
const MAX_ENVIRONMENT_BYTES = 4_096

/** As a record, so that the compiler asks for an option that is missing here. */
const KNOWN: Record<keyof LocalFunctionOptions, true> = {
  name: true,
  file: true,
  exportName: true,
  environment: true,
  timeoutMs: true,
  memoryMb: true,
  maxConcurrency: true,
  onLogLine: true,
  fault: true,
}

export const localFunctionOptionNames: readonly string[] = Object.keys(KNOWN)

export function resolveLocalFunctionOptions(options: LocalFunctionOptions): ResolvedLocalFunctionOptions {
  refuseUnknownOptions(options, localFunctionOptionNames)
  const { file, exportName = 'handler', environment = {}, onLogLine } = options
  const common = resolveCommonFunctionOptions(options)
  if (typeof file !== 'string' || !isAbsolute(file)) {
    throw new InvalidOptionError('file', file, 'Give the absolute path of a built ES module.')
  }
  if (!existsSync(file)) {
    throw new InvalidOptionError('file', file, 'There is no such file: build the handler first.')
  }
  if (!statSync(file).isFile()) {
    throw new InvalidOptionError('file', file, 'That is no file: give the path of the module itself.')
  }
  if (typeof exportName !== 'string' || exportName === '' || exportName.includes('\0')) {
    throw new InvalidOptionError('exportName', exportName, 'Give the name of the export that is the handler.')
  }
  for (const [name, value] of Object.entries(environment)) {
    if (typeof value !== 'string' || `${name}${value}`.includes('\0'))
      throw new InvalidOptionError(`environment.${name}`, value, 'Give text without zero bytes.')
  }
  const environmentBytes = Buffer.byteLength(JSON.stringify(environment))
  if (environmentBytes > MAX_ENVIRONMENT_BYTES) {
    throw new InvalidOptionError(
      'environment',
      `${environmentBytes} bytes`,
      'Lambda takes 4 KB in all: give the function a place to read the rest from.',
    )
  }
  return {
    ...common,
    file,
    exportName,
    environment: { ...environment },
    memoryMb: whole('memoryMb', options.memoryMb ?? 512, 128, 10_240),
    onLogLine:
      onLogLine === undefined
        ? (line) => void process.stderr.write(`${options.name}: ${line}\n`)
        : called('onLogLine', onLogLine),
  }
}

/** What a function has in a simulation, too. */
export function resolveCommonFunctionOptions({
  name,
  timeoutMs = 60_000,
  maxConcurrency = 10,
  fault = () => undefined,
}: Pick<LocalFunctionOptions, 'name' | 'timeoutMs' | 'maxConcurrency' | 'fault'>) {
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    throw new InvalidOptionError('name', name, 'Give 1 to 64 letters, digits, hyphens or underscores.')
  }
  return {
    name,
    timeoutMs: whole('timeoutMs', timeoutMs, 1, 900_000),
    maxConcurrency: whole('maxConcurrency', maxConcurrency, 1, 1_000),
    fault: called('fault', fault),
  }
}

function called<T>(option: string, value: T): T {
  if (typeof value === 'function') return value
  throw new InvalidOptionError(option, value, 'Give a function, or leave it out.')
}

function whole(option: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new InvalidOptionError(option, value, `Give a whole number from ${low} to ${high}.`)
  }
  return value
}
