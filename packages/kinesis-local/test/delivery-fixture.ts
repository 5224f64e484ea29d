import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { ManualClock } from '@org/kinesis-core/testing'
import type { DeliveryStreamOptions } from '../src/delivery/delivery-options.js'
import { createDeliveryStreamHost } from '../src/delivery/delivery-stream.js'
import type { LocalFunctionOptions } from '../src/function/function-options.js'
import { createLocalFunction } from '../src/function/local-function.js'
import type { LocalService } from '../src/service.js'
import { hostDependencies } from './host-fixture.js'
import { aFolder, STREAM } from './stream-fixture.js'

const handlers = fileURLToPath(new URL('./delivery-handlers.mjs', import.meta.url))
const cleanup: (() => Promise<unknown>)[] = []

/** To be called after each test. */
export async function cleanUp(): Promise<void> {
  for (const close of cleanup.splice(0).reverse()) await close()
}

export function cleanUpAfter(close: () => Promise<unknown>): void {
  cleanup.push(close)
}

export function aTemporaryFolder(): Promise<string> {
  return aFolder(cleanup)
}

interface DeliveryTest extends Partial<DeliveryStreamOptions> {
  /** The export that transforms. @default no transform */
  handler?: string
  functionOptions?: Partial<LocalFunctionOptions>
  clock?: ManualClock
}

export async function aDelivery(
  service: LocalService,
  { handler, functionOptions, clock, ...options }: DeliveryTest = {},
) {
  const folder = options.folder ?? (await aFolder(cleanup))
  const destination = options.destination === undefined ? { folder } : {}
  const host = hostDependencies(service, clock)
  const transform =
    handler === undefined
      ? undefined
      : createLocalFunction(
          { name: 'transform', file: handlers, exportName: handler, ...functionOptions },
          host,
        )
  // Retries wait a random part of their backoff: none here.
  const delivery = createDeliveryStreamHost(
    { name: 'lake-delivery', streamName: STREAM, transform, pollIntervalMs: 20, ...options, ...destination },
    { ...host, random: () => 0 },
  )
  cleanup.push(async () => transform?.close())
  cleanup.push(() => delivery.close())
  return { delivery, folder, host, transform }
}

/** Names and contents of the objects in the lake, less those of errors. */
export async function objectsIn(folder: string): Promise<{ name: string; text: string }[]> {
  return readAll(folder, (name) => !name.startsWith('errors/'))
}

export interface ErrorLine {
  attemptsMade: number
  errorCode: string
  /** In place of `errorCode`, where the conversion failed. */
  lastErrorCode: string
  rawData: string
}

export async function errorsIn(folder: string): Promise<ErrorLine[]> {
  const objects = await readAll(folder, (name) => name.startsWith('errors/'))
  return objects.flatMap(({ text }) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ErrorLine),
  )
}

export async function readAll(folder: string, wanted: (name: string) => boolean) {
  const found: { name: string; text: string }[] = []
  for await (const entry of glob('**/*', { cwd: folder, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(folder.length + 1)
    if (!entry.isFile() || !wanted(name)) continue
    const bytes = await readFile(path)
    found.push({ name, text: (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString() })
  }
  return found.sort((a, b) => a.name.localeCompare(b.name))
}

export async function linesOf<T>(folder: string, read: (line: string) => T): Promise<T[]> {
  return (await objectsIn(folder)).flatMap(({ text }) => text.trimEnd().split('\n').map(read))
}

export const raw = (line: ErrorLine) => Buffer.from(line.rawData, 'base64').toString()
