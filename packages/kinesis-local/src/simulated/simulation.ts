import { type Clock, type Random, StreamingError, seededRandom } from '@org/kinesis-core'
import { CloudWatchService } from '../cloudwatch/cloudwatch-service.js'
import { MetricStore } from '../cloudwatch/metric-store.js'
import type { DeliveryStreamOptions } from '../delivery/delivery-options.js'
import { createDeliveryStreamHost, type DeliveryStream } from '../delivery/delivery-stream.js'
import type { ObjectStore } from '../delivery/object-store.js'
import {
  createEventSourceMappingHost,
  type EventSourceMapping,
} from '../event-source-mapping/event-source-mapping-host.js'
import type { EventSourceMappingOptions } from '../event-source-mapping/mapping-options.js'
import type { HostDependencies } from '../function/host-dependencies.js'
import type { LocalFunction } from '../function/local-function.js'
import { KinesisService } from '../kinesis/kinesis-service.js'
import type { QueuedMessage } from '../sqs/queue.js'
import { SqsService } from '../sqs/sqs-service.js'
import { createInProcessFunction, type SimulatedFunctionOptions } from './in-process-function.js'
import { createInProcessHandler, type InProcessHandler } from './in-process-handler.js'
import { MemoryDynamoDb } from './memory-dynamodb.js'
import { SimulatedClock } from './simulated-clock.js'
import { resolveSimulationOptions, type SimulationOptions } from './simulation-options.js'
import { Trace } from './trace.js'

const ACCOUNT_ID = '000000000000'
/** Nobody listens there, and nobody connects. */
const URL = 'http://127.0.0.1'

/** An answer that goes on has no place between two moments of time. */
const NO_PUSH = new Map([
  ['SubscribeToShard', 'Use kinesis.subscribeToShard() of the simulation, or a mapping with consumerArn.'],
])
const NO_ALARMS = new Map(
  [
    ...['PutMetricAlarm', 'DescribeAlarms', 'DeleteAlarms', 'SetAlarmState', 'DescribeAlarmHistory'],
    ...['EnableAlarmActions', 'DisableAlarmActions'],
  ].map((operation) => [operation, 'Alarms are those of startLocal.']),
)

/** Into memory, or a store of the caller's: a folder would take real time. */
export type SimulatedDeliveryOptions = Omit<DeliveryStreamOptions, 'folder' | 'destination'> & {
  destination?: ObjectStore
}

/** The services, functions and mappings of a machine in one process, on a clock of their own. */
export interface Simulation {
  /** Stands still but in `advance` and `run`. Give it to whatever waits: producer, handlers, sinks. */
  readonly clock: Clock
  /** Seeded. Give it to whatever draws: each caller gets a sequence of its own by a name. */
  random(name: string): Random
  readonly region: string
  /**
   * For any AWS SDK client. The SDK's own retries are off, because it would wait for them in real time.
   */
  readonly clientConfiguration: {
    endpoint: string
    region: string
    credentials: { accessKeyId: string; secretAccessKey: string }
    requestHandler: InProcessHandler
    maxAttempts: 1
  }
  readonly kinesis: KinesisService
  readonly dynamodb: MemoryDynamoDb
  readonly metrics: MetricStore
  queueUrl(name: string): string
  queueMessages(name: string): readonly QueuedMessage[]
  createFunction(options: SimulatedFunctionOptions): LocalFunction
  createEventSourceMapping(options: EventSourceMappingOptions): EventSourceMapping
  createDeliveryStream(options: SimulatedDeliveryOptions): DeliveryStream
  /** The objects of a delivery stream by key, where it has no store of its own. */
  objects(deliveryStreamName: string): ReadonlyMap<string, Uint8Array>
  /** Lets `byMs` milliseconds of simulated time go by, with everything that falls into them. */
  advance(byMs: number): Promise<void>
  /**
   * Lets time go by until `work` is done, and gives what it gives. At most an hour of simulated time, unless `limitMs` says otherwise.
   *
   * @throws StreamingError with code SIMULATION_STUCK where nothing is left to happen, or the time is over
   */
  run<T>(work: Promise<T>, options?: { limitMs?: number }): Promise<T>
  /** Holds time while `work` runs: whoever reads files or compresses in a simulation must say so. */
  hold<T>(work: Promise<T>): Promise<T>
  /** How much was traced so far, and a digest of it: the same for the same seed and the same test. */
  trace(): { entries: number; digest: string }
  close(): Promise<void>
}

/**
 * The simulated mode: the services without sockets, handlers in process, tables in memory, and a clock that jumps from one event to the
 * next, so that an hour of traffic takes seconds. The same seed gives the same trace, as long as nothing in it waits for real time.
 */
export async function createSimulation(options: SimulationOptions = {}): Promise<Simulation> {
  const { local, seed, startMs, latencyMs, faults, onTrace } = resolveSimulationOptions(options)
  const { region } = local
  const clock = new SimulatedClock(startMs)
  const random = (name: string) => seededRandom(seedOf(seed, name))
  const trace = new Trace(onTrace)
  const metrics = new MetricStore()
  const { maxRetainedBytes, shardLimits, writeBurst, streamTransitionMs } = local
  const kinesis = new KinesisService({
    region,
    accountId: ACCOUNT_ID,
    clock,
    metrics,
    maxRetainedBytes,
    shardLimits,
    writeBurst,
    streamTransitionMs,
  })
  const dynamodb = new MemoryDynamoDb(region, ACCOUNT_ID)
  const sqs = new SqsService(() => URL, region, ACCOUNT_ID, clock)
  const cloudWatch = new CloudWatchService(metrics, clock)

  for (const stream of local.streams) kinesis.createStream(stream)
  for (const table of local.tables) await dynamodb.call('CreateTable', table)
  for (const name of local.queues) await sqs.call('CreateQueue', { QueueName: name })

  const note = (what: string, number: number, outcome: string, count: number) => {
    clock.touch()
    trace.add({ atMs: clock.now() - startMs, what, number, outcome, count })
  }
  const drawLatency = random('latency')
  const exceeded = 'ProvisionedThroughputExceededException'
  const requestHandler = createInProcessHandler({
    routes: [
      { name: 'kinesis', service: kinesis, throttlingCode: exceeded, instead: NO_PUSH },
      { name: 'dynamodb', service: dynamodb, throttlingCode: exceeded },
      { name: 'sqs', service: sqs, throttlingCode: 'RequestThrottled' },
      { name: 'cloudwatch', service: cloudWatch, throttlingCode: 'Throttling', instead: NO_ALARMS },
    ],
    faults,
    latencyMs: () => latencyMs.min + drawLatency() * (latencyMs.max - latencyMs.min),
    clock,
    random: random('partial failures'),
    onCall: ({ service, operation, number, outcome, count }) =>
      note(`${service}.${operation}`, number, outcome, count),
  })
  const deps: HostDependencies = {
    kinesis,
    sqs,
    metrics,
    clock,
    region,
    accountId: ACCOUNT_ID,
    environment: {},
    url: URL,
    random: random('mappings'),
    hold: (work) => clock.hold(work),
  }
  const stores = new Map<string, Map<string, Uint8Array>>()
  const openNames = new Set<string>()
  const closers: { close(): Promise<void> }[] = []
  const queue = (name: string) => {
    const found = sqs.queue(name)
    if (found !== undefined) return found
    throw new StreamingError(`There is no queue ${name}. Name it in createSimulation({ queues }).`, {
      code: 'NO_SUCH_QUEUE',
      retryable: false,
    })
  }

  return {
    clock,
    random,
    region,
    clientConfiguration: {
      endpoint: URL,
      region,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      requestHandler,
      maxAttempts: 1,
    },
    kinesis,
    dynamodb,
    metrics,
    queueUrl: (name) => queue(name).url,
    queueMessages: (name) => queue(name).messages,

    createFunction(functionOptions) {
      const created = createInProcessFunction(functionOptions, deps, (number, event, result) => {
        const records = (event as { Records?: unknown[] } | null | undefined)?.Records
        note(`invoke.${functionOptions.name}`, number, result.ok ? 'ok' : result.kind, records?.length ?? 1)
      })
      closers.push(created)
      return created
    },

    createEventSourceMapping(mappingOptions) {
      const mapping = createEventSourceMappingHost(mappingOptions, deps)
      closers.unshift(mapping)
      return mapping
    },

    createDeliveryStream({ destination, ...deliveryOptions }) {
      const objects = new Map<string, Uint8Array>()
      const memory: ObjectStore = {
        async put(key, bytes) {
          objects.set(key, bytes)
        },
      }
      const delivery = createDeliveryStreamHost(
        { ...deliveryOptions, destination: destination ?? memory },
        deps,
        { openNames },
      )
      stores.set(delivery.name, objects)
      closers.unshift(delivery)
      return delivery
    },

    objects(name) {
      const objects = stores.get(name)
      if (objects !== undefined) return objects
      throw new StreamingError(`There is no delivery stream ${name}. Make it with createDeliveryStream().`, {
        code: 'NO_SUCH_DELIVERY_STREAM',
        retryable: false,
      })
    },

    advance: (byMs) => clock.advanceTo(clock.now() + byMs),

    async run(work, { limitMs = 3_600_000 } = {}) {
      let isDone = false
      const done = () => {
        isDone = true
      }
      work.then(done, done)
      const untilMs = clock.now() + limitMs
      await clock.runUntil(() => isDone, untilMs)
      if (isDone) return work
      const why =
        clock.nextDueMs === undefined
          ? 'nothing is left that could happen'
          : `${limitMs} ms of simulated time went by`
      throw new StreamingError(
        `The simulation is stuck: the work is not done, and ${why}. Give what waits in it the simulation's clock, or raise limitMs.`,
        { code: 'SIMULATION_STUCK', retryable: false },
      )
    },

    hold: (work) => clock.hold(work),
    trace: () => ({ entries: trace.length, digest: trace.digest() }),

    async close() {
      sqs.close()
      for (const closer of closers) await closer.close()
    },
  }
}

/** Each name has a sequence of its own, so that one more draw here changes nothing there. */
function seedOf(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  return hash >>> 0
}
