import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FaultAction, type Local, startLocal } from '@org/kinesis-local'
import {
  KinesisProducer,
  type KinesisProducerOptions,
  type ProducerError,
  type SpoolOptions,
} from '../src/index.js'
import { storedIn } from './stored-records.js'

const childFile = fileURLToPath(new URL('./spooled-producer-child.mjs', import.meta.url))

export interface ChildOptions extends KinesisProducerOptions {
  /** Number of its first record. */
  first: number
  records: number
  /** Record n has the key n modulo this. */
  keys: number
}

/** A producer with a spool in a process of its own. */
export function startSpooledProducer(options: ChildOptions) {
  const child = spawn(process.execPath, [childFile, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  const watchers = new Set<() => void>()
  child.stdout.on('data', (text: Buffer) => {
    printed += text.toString()
    for (const watch of watchers) watch()
  })
  // 'close' comes when all that was printed is read, too.
  const ended = once(child, 'close')
  const puts = () => [...printed.matchAll(/^put (\d+)\n/gm)].map(([, number]) => Number(number))
  return {
    puts,
    recovered: () => Number(/^ready (\d+)\n/.exec(printed)?.[1]),
    ended,
    /** Resolves when so many puts have returned, or it has ended. */
    hasPut(count: number): Promise<unknown> {
      const reached = new Promise<void>((resolve) => {
        watchers.add(() => puts().length >= count && resolve())
      })
      return Promise.race([reached, ended])
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The numbers of the records in a stream as its consumers read them, by key, repeats included. */
export async function numbersByKey(local: Local): Promise<Map<string, number[]>> {
  const byKey = Map.groupBy(await storedIn(local), ({ partitionKey }) => partitionKey)
  return new Map([...byKey].map(([key, stored]) => [key, stored.map(({ data }) => Number(data))]))
}

/** Keys whose records do not first appear in the order of their numbers. */
export function keysOutOfOrder(byKey: Map<string, number[]>): string[] {
  return [...byKey]
    .filter(([, numbers]) => {
      const firsts = [...new Set(numbers)]
      return firsts.some((number, index) => index > 0 && number < firsts[index - 1]!)
    })
    .map(([key]) => key)
}

const made: string[] = []

export function aSpoolDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kinesis-spool-'))
  made.push(directory)
  return directory
}

export function removeSpoolDirectories(): void {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
}

const cleanups: (() => Promise<unknown>)[] = []

export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  removeSpoolDirectories()
}

/** A local service with one stream, `orders`, that takes no records while it is down. */
export async function aService({ shards = 1, isDown = false } = {}) {
  const service = { isDown }
  const down: FaultAction = { kind: 'error500' }
  const local = await startLocal({
    streams: [{ name: 'orders', shards }],
    faults: ({ operation }) => (operation === 'PutRecords' && service.isDown ? down : undefined),
  })
  cleanups.push(() => local.close())
  return Object.assign(service, { local })
}

export type ProducerOptions = Omit<Partial<KinesisProducerOptions>, 'spool'> & { spool: SpoolOptions }

export function aProducer(local: Local, options: ProducerOptions) {
  const producer = new KinesisProducer({
    streamName: 'orders',
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    lingerMs: 5,
    backoffBaseMs: 10,
    backoffMaxMs: 50,
    ...options,
  })
  cleanups.push(() => producer.close({ deadlineMs: 0 }))
  return producer
}

export const codeOf = (put: Promise<unknown>): Promise<string> =>
  put.then(
    () => 'delivered',
    (error: ProducerError) => error.code,
  )

export const numbered = (from: number, to: number, bytes = 0) =>
  Array.from({ length: to - from }, (_, index) => ({
    partitionKey: `key-${(from + index) % 5}`,
    data: String(from + index).padEnd(bytes, ' '),
  }))

/** Leaves so many records in the spool, none of which was delivered. */
export async function leave(
  service: Awaited<ReturnType<typeof aService>>,
  records: { partitionKey: string; data: string }[],
  options: ProducerOptions,
) {
  service.isDown = true
  const producer = aProducer(service.local, options)
  await producer.ready()
  const codes = records.map((record) => codeOf(producer.put(record)))
  const { undelivered } = await producer.close({ deadlineMs: 0 })
  service.isDown = false
  return { undelivered, codes: await Promise.all(codes) }
}

/** Which numbers the stream holds. A request that a producer gave up may still have arrived, so some of them twice. */
export const numbersIn = async (local: Local) =>
  [...new Set([...(await numbersByKey(local)).values()].flat())].sort((one, other) => one - other)
