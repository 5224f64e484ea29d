import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { sleep } from '@org/kinesis-core'
import { createSimulation, type FaultPlan, faultPlan, type Simulation } from '@org/kinesis-local'
import { z } from 'zod'
import { dynamoDbSink } from '../../src/dynamodb.js'
import {
  type AnyStep,
  allOf,
  type BatchReport,
  batchStep,
  json,
  type KinesisHandler,
  type KinesisHandlerOptions,
  kinesisHandler,
  limited,
  PermanentError,
  route,
  type Sink,
  TransientError,
  type WithSteps,
} from '../../src/index.js'
import { sqsRejectedSink } from '../../src/sqs.js'
import { Ledger } from './ledger.js'
import { mortal, outside } from './mortality.js'
import type { Scenario } from './scenario.js'
import { STREAM } from './traffic.js'

const schema = z.object({ id: z.string(), n: z.number(), key: z.string(), fate: z.string() })
type Event = z.infer<typeof schema>
export interface Enriched extends Event {
  label: string
}

type Steps = readonly [AnyStep<Event, Event>, AnyStep<Event, Enriched>, AnyStep<Enriched, Enriched>]
type HandlerOptions = KinesisHandlerOptions<Event, Enriched> & WithSteps<Steps>
/** The handler under test, or one that was broken on purpose. */
export type MakeHandler = (options: HandlerOptions) => KinesisHandler

export interface World {
  sim: Simulation
  mapping: ReturnType<Simulation['createEventSourceMapping']>
  ledger: Ledger
  reports: BatchReport[]
  /** When nothing goes wrong any more, on the simulation's clock. */
  faultsEndMs: number
}

const table = (TableName: string) => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
})

/** The stream, the targets and the handler between them, with everything that the scenario does to them. */
export async function createWorld(
  scenario: Scenario,
  failureFolder: string,
  makeHandler: MakeHandler = (options) => kinesisHandler(options),
): Promise<World> {
  const { seed, faults, outages } = scenario
  let sim: Simulation | undefined
  let startMs = 0
  const sinceMs = () => (sim === undefined ? 0 : sim.clock.now() - startMs)
  const isOut = (target: string) =>
    outages.some(
      (outage) => outage.target === target && sinceMs() >= outage.fromMs && sinceMs() < outage.toMs,
    )
  const lastOutageMs = Math.max(0, ...outages.map(({ toMs }) => toMs))
  const goesWrong = (random: () => number, share: number) =>
    random() < share && sinceMs() < scenario.faultsEndMs

  sim = await createSimulation({
    seed,
    streams: [{ name: STREAM, shards: scenario.shards }],
    tables: [table('all'), table('latest')],
    queues: ['rejected'],
    latencyMs: { min: 1, max: 60 },
    faults: requestFaults(scenario, isOut, sinceMs),
  })
  startMs = sim.clock.now()
  const { clock } = sim

  const crashRandom = sim.random('crashes')
  const alive = <R>(work: () => Promise<R>) => outside(() => goesWrong(crashRandom, faults.crash), work)
  const { requestHandler } = sim.clientConfiguration
  const client = {
    ...sim.clientConfiguration,
    requestHandler: {
      ...requestHandler,
      handle: (...request: Parameters<typeof requestHandler.handle>) =>
        alive(() => requestHandler.handle(...request)),
    },
  }
  const ledgerRandom = sim.random('ledger')
  const ledger = new Ledger(
    clock,
    ledgerRandom,
    () => isOut('ledger') || goesWrong(ledgerRandom, faults.ledger),
    alive,
  )
  const reports: BatchReport[] = []
  const time = { clock, random: sim.random('handler') }
  const dynamodb = new DynamoDBClient(client)
  const handler = makeHandler({
    decode: json(schema),
    steps: stepsOf(sim, {
      fails: (random, share) => goesWrong(random, share),
      isDirectoryDown: () => isOut('lookup'),
      scenario,
    }),
    sink: sinkOf(scenario, dynamodb, ledger, time),
    rejected: sqsRejectedSink({
      client: new SQSClient(client),
      queueUrl: sim.queueUrl('rejected'),
      requestTimeoutMs: 3_000,
      clock,
    }),
    maxAttempts: scenario.maxAttempts,
    maxConcurrency: scenario.maxConcurrency,
    onUnresolved: () => {},
    onBatch: (report) => reports.push(report),
    ...time,
  })
  const unheardRandom = sim.random('unheard')
  const fn = sim.createFunction({
    name: 'processor',
    handler: mortal(handler),
    timeoutMs: scenario.timeoutMs,
    maxConcurrency: 20,
    fault: () => {
      if (!goesWrong(unheardRandom, faults.unheard)) return undefined
      const draw = unheardRandom()
      if (draw < 0.3) return 'crash-before'
      return draw < 0.8 ? 'crash-after' : 'timeout'
    },
  })
  const mapping = sim.createEventSourceMapping({
    streamName: STREAM,
    function: fn,
    batchSize: scenario.batchSize,
    parallelizationFactor: scenario.parallelizationFactor,
    bisectBatchOnFunctionError: scenario.bisect,
    partialProgressResetsRetries: scenario.partialProgressResetsRetries,
    maximumRetryAttempts: scenario.maximumRetryAttempts,
    reportBatchItemFailures: true,
    ...(scenario.maximumRetryAttempts < 0 ? {} : { onFailure: { folder: failureFolder } }),
  })
  const faultsEndMs = startMs + Math.max(lastOutageMs, scenario.faultsEndMs)
  return { sim, mapping, ledger, reports, faultsEndMs }
}

function requestFaults(
  { seed, faults, faultsEndMs }: Scenario,
  isOut: (target: string) => boolean,
  sinceMs: () => number,
): FaultPlan {
  const rate = faults.request / 6
  const plan = faultPlan({
    seed,
    rates: {
      throttle: rate,
      error500: rate,
      'reset-before': rate,
      'reset-after': rate,
      truncate: rate,
      // Often for longer than a request waits, and than an invocation has.
      stall: rate,
    },
    maxStallMs: 12_000,
  })
  return (call) => {
    if (isOut(call.service)) return { kind: 'error500' }
    return sinceMs() < faultsEndMs ? plan(call) : undefined
  }
}

function stepsOf(
  sim: Simulation,
  world: {
    fails(random: () => number, share: number): boolean
    isDirectoryDown(): boolean
    scenario: Scenario
  },
): Steps {
  const { step, lookup } = world.scenario.faults
  const random = sim.random('steps')
  return [
    (event) => {
      if (event.fate === 'bad-step') throw new PermanentError('There is no such thing.')
      if (event.fate === 'dropped') return undefined
      if (world.fails(random, step)) throw new TransientError('The step was not in the mood.')
      return event
    },
    batchStep(
      async (events: readonly Event[]) => {
        await sleep(sim.clock, 1 + random() * 80)
        if (world.isDirectoryDown() || world.fails(random, lookup / 2))
          throw new Error('The directory is down.')
        return events.map((event) => {
          if (event.fate === 'bad-lookup') return new PermanentError('The directory does not know it.')
          if (world.fails(random, lookup / 4)) return new Error('The directory did not answer for it.')
          return { ...event, label: `label-${event.key}` }
        })
      },
      { maxBatchRecords: 7, maxConcurrency: 2 },
    ),
    limited(
      async (event: Enriched) => {
        if (event.n % 3 === 0) await sleep(sim.clock, 1 + random() * 30)
        return event
      },
      { maxConcurrency: 2 },
    ),
  ]
}

function sinkOf(
  { sink }: Scenario,
  client: DynamoDBClient,
  ledger: Ledger,
  time: Pick<HandlerOptions, 'clock' | 'random'>,
): Sink<Enriched> {
  // A key that is empty can never be stored.
  const idOf = (event: Enriched, id: string) => (event.fate === 'unstorable' ? '' : id)
  const common = { client, key: { partition: 'id' }, requestTimeoutMs: 3_000, ...time }
  const all = dynamoDbSink<Enriched>({
    ...common,
    tableName: 'all',
    uniqueKeys: true,
    item: (event) => ({ ...event, id: idOf(event, event.id) }),
  })
  const latest = dynamoDbSink<Enriched>({
    ...common,
    tableName: 'latest',
    uniqueKeys: false,
    item: (event) => ({ ...event, id: idOf(event, event.key) }),
    condition: ({ n }) => ({
      expression: 'attribute_not_exists(#n) OR #n < :n',
      names: { '#n': 'n' },
      values: { ':n': n },
    }),
  })
  if (sink === 'table') return all
  if (sink === 'latest') return latest
  if (sink === 'ledger') return ledger.sink()
  if (sink === 'all-of') return allOf(all, ledger.sink(), latest)
  return route(({ n }) => (n % 2 === 0 ? 'even' : 'odd'), { even: all, odd: ledger.sink() })
}
