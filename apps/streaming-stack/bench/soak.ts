import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startLocal } from '@org/kinesis-local'
import { KinesisProducer } from '@org/kinesis-producer'
import { machine } from '../../../bench/machine.ts'
import { processTree } from '../src/demo/process-tree.ts'

/*
 * The pipeline for an hour of real time, and whether its memory stays flat. What keeps data for good is kept from growing, so that
 * growth means a leak: the same events come round again, and write the same items; the stream is trimmed at 64 MiB; the lake is emptied.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '200' },
    json: { type: 'string' },
  },
})
const minutes = Number(values.minutes)
const rate = Number(values.rate)
if (!(minutes > 0) || !(rate >= 10)) throw new Error('--minutes must be above 0, --rate 10 or more.')

const DISTINCT_EVENTS = 20_000
const TICK_MS = 50
const TYPES = ['page_view', 'click', 'purchase', 'login', 'logout']
const table = (TableName: string, hash: string, range: string) => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [hash, range].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  KeySchema: [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ],
})

const root = await mkdtemp(join(tmpdir(), 'soak-'))
const local = await startLocal({
  dataDir: join(root, 'data'),
  streams: [{ name: 'events', shards: 2 }],
  tables: [table('processed', 'user_id', 'timestamp'), table('windows', 'window_key', 'partial_id')],
  queues: ['rejected'],
  maxRetainedBytes: 64 * 2 ** 20,
  onWarning: () => {},
})
const fn = (name: string) =>
  local.createFunction({
    name,
    file: fileURLToPath(new URL(`../dist/handlers/${name}/index.mjs`, import.meta.url)),
    environment: {
      PROCESSED_TABLE_NAME: 'processed',
      WINDOWS_TABLE_NAME: 'windows',
      REJECTED_QUEUE_URL: local.queueUrl('rejected'),
      POWERTOOLS_SERVICE_NAME: name,
      POWERTOOLS_METRICS_NAMESPACE: 'Soak',
    },
    maxConcurrency: 2,
    onLogLine: (line) => console.error(`${name}: ${line.slice(0, 500)}`),
  })
const lake = join(root, 'lake')
const processing = local.createEventSourceMapping({
  streamName: 'events',
  function: fn('stream-processor'),
  parallelizationFactor: 2,
  reportBatchItemFailures: true,
})
const windowing = local.createEventSourceMapping({
  streamName: 'events',
  function: fn('windows'),
  batchSize: 1_000,
  tumblingWindowMs: 60_000,
})
const delivery = local.createDeliveryStream({
  name: 'lake',
  streamName: 'events',
  transform: fn('data-transform'),
  folder: lake,
  bufferIntervalMs: 10_000,
})
const producer = new KinesisProducer({
  streamName: 'events',
  endpoint: local.url,
  region: local.region,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  ordering: 'per-key',
})

const beganMs = Date.now()
const endMs = beganMs + minutes * 60_000
const samples: {
  minute: number
  rssMiB: number
  mainMiB: number
  heapMiB: number
  externalMiB: number
  put: number
  resolved: number
  lagMs: number
  cpuMs: number
}[] = []
let put = 0
let failed = 0

function event(n: number): object {
  const index = n % DISTINCT_EVENTS
  return {
    event_id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    timestamp: new Date(beganMs + (index % 60_000)).toISOString(),
    user_id: `user_${index % 20}`,
    event_type: TYPES[index % TYPES.length],
    value: index % 100,
    metadata: { device: 'mobile', browser: 'chrome', country: 'JP', session_id: `session-${index}` },
  }
}

async function produce(): Promise<void> {
  while (Date.now() < endMs) {
    const due = Math.floor(((Date.now() - beganMs) / 1_000) * rate)
    while (put < due) {
      await producer.ready()
      const value = event(put) as { user_id: string }
      put += 1
      producer.put({ partitionKey: value.user_id, data: value }).catch(() => {
        failed += 1
      })
    }
    await wait(TICK_MS)
  }
}

function sample(minute: number): void {
  const tree = processTree(process.pid)
  // With `node --expose-gc` the heap is what is held; without, it is what was not collected yet.
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  const row = {
    minute,
    rssMiB: Math.round(tree.reduce((sum, { rssBytes }) => sum + rssBytes, 0) / 2 ** 20),
    mainMiB: Math.round(rss / 2 ** 20),
    heapMiB: Math.round(heapUsed / 2 ** 20),
    externalMiB: Math.round(external / 2 ** 20),
    put,
    resolved: processing.stats().recordsResolved,
    lagMs: processing.stats().lagMs,
    cpuMs: tree.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  }
  samples.push(row)
  console.log(
    Object.entries(row)
      .map(([name, value]) => `${name} ${value}`)
      .join('  '),
  )
}

async function watch(): Promise<void> {
  for (let minute = 1; minute <= minutes; minute += 1) {
    await wait(beganMs + minute * 60_000 - Date.now())
    sample(minute)
    for (const folder of await readdir(lake).catch(() => []))
      await rm(join(lake, folder), { recursive: true, force: true })
  }
}

await Promise.all([produce(), watch()])
await producer.close()
for (const reader of [processing, windowing, delivery]) await reader.drain(AbortSignal.timeout(120_000))

const quarter = Math.max(1, Math.floor(samples.length / 4))
const mean = (rows: typeof samples) => rows.reduce((sum, { rssMiB }) => sum + rssMiB, 0) / rows.length
const report = {
  bench: 'soak',
  machine: machine(),
  sides: [
    { name: 'pipeline', minutes, rate, put, failed, resolved: processing.stats().recordsResolved, samples },
  ],
  // The first quarter warms up: the tables fill, and so does the stream.
  ratios: {
    rssLastQuarterVsSecond: mean(samples.slice(-quarter)) / mean(samples.slice(quarter, 2 * quarter)),
  },
}
console.log(JSON.stringify(report.ratios))
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
await local.close()
await rm(root, { recursive: true, force: true })
