import { join } from 'node:path'
import { InvalidOptionError, StreamingError } from '@org/kinesis-core'
import { Alarms } from './cloudwatch/alarms.js'
import { CLOUDWATCH_QUERY } from './cloudwatch/cloudwatch-query.js'
import { CloudWatchService } from './cloudwatch/cloudwatch-service.js'
import { MetricStore } from './cloudwatch/metric-store.js'
import { createResources } from './create-resources.js'
import type { DeliveryStreamOptions } from './delivery/delivery-options.js'
import { createDeliveryStreamHost, type DeliveryStream } from './delivery/delivery-stream.js'
import { folderStore } from './delivery/folder-store.js'
import { DynamoDbService } from './dynamodb/dynamodb-service.js'
import { endpointEnvironment } from './endpoints/endpoint-options.js'
import { replacedServices } from './endpoints/replaced-services.js'
import {
  createEventSourceMappingHost,
  type EventSourceMapping,
} from './event-source-mapping/event-source-mapping-host.js'
import type { EventSourceMappingOptions } from './event-source-mapping/mapping-options.js'
import { FirehoseService } from './firehose/firehose-service.js'
import type { LocalFunctionOptions } from './function/function-options.js'
import type { HostDependencies } from './function/host-dependencies.js'
import { createLocalFunction, type LocalFunction } from './function/local-function.js'
import { type Journal, openJournal } from './journal/open-journal.js'
import { KinesisService } from './kinesis/kinesis-service.js'
import { type LocalOptions, type ResolvedLocalOptions, resolveLocalOptions } from './local-options.js'
import { openRunFolder, type RunFolder } from './run-file.js'
import type { LocalService } from './service.js'
import { SNS_QUERY, SnsService } from './sns/sns-service.js'
import type { QueuedMessage } from './sqs/queue.js'
import { QueueMetrics } from './sqs/queue-metrics.js'
import { SqsService } from './sqs/sqs-service.js'
import { type Listener, listen } from './wire/listener.js'
import { createRouter, type Route } from './wire/router.js'

const ACCOUNT_ID = '000000000000'

/** The services of one machine, until `close`. */
export interface Local extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`: one endpoint for every service. */
  readonly url: string
  readonly region: string
  readonly accountId: string
  readonly dataDir: string
  /** What points an AWS SDK or the AWS CLI here: endpoint, region and dummy keys. */
  readonly environment: Record<string, string>
  /** Kinesis in process, past the wire. */
  readonly kinesis: KinesisService
  /** DynamoDB in process, past the wire, or at its endpoint; binary values are base64 text. */
  readonly dynamodb: LocalService
  /** SQS in process, past the wire; binary values are base64 text. */
  readonly sqs: LocalService
  /** SNS in process, past the wire. */
  readonly sns: LocalService
  /** Firehose in process, past the wire. */
  readonly firehose: FirehoseService
  /** CloudWatch in process, past the wire. */
  readonly cloudwatch: LocalService
  /** What CloudWatch holds. */
  readonly metrics: MetricStore
  queueUrl(name: string): string
  topicArn(name: string): string
  /** All messages of a queue, hidden ones too, without receiving them. */
  queueMessages(name: string): readonly QueuedMessage[]
  createFunction(options: LocalFunctionOptions): LocalFunction
  createEventSourceMapping(options: EventSourceMappingOptions): EventSourceMapping
  createDeliveryStream(options: DeliveryStreamOptions): DeliveryStream
  /** Stops mappings, delivery, functions and the listener, in this order. Later calls wait for the first. */
  close(): Promise<void>
}

/** Starts Kinesis, DynamoDB, SQS, SNS, Firehose and CloudWatch on a port of 127.0.0.1, with the streams, tables, queues and topics asked for. */
export async function startLocal(options: LocalOptions = {}): Promise<Local> {
  const resolved = resolveLocalOptions(options)
  const folder = await openRunFolder(resolved.dataDir)
  let listener: Listener | undefined
  let journal: Journal | undefined
  try {
    if (resolved.persist) journal = openStreamJournal(resolved, folder.path)
    const services = createServices(resolved, journal, () => `http://127.0.0.1:${listener!.port}`)
    listener = await listen(resolved.port, router(resolved, services))
    const url = `http://127.0.0.1:${listener.port}`
    const created = await createResources(resolved, services)
    await folder.announce(url, resolved.region)
    return assemble(resolved, { ...services, ...created }, listener, folder, url)
  } catch (error) {
    await listener?.close()
    journal?.close()
    await folder.close()
    throw error
  }
}

type Services = ReturnType<typeof createServices>
type CreatedServices = Services & Awaited<ReturnType<typeof createResources>>

/** A second of what was written is what a crash of the machine may cost. */
const SYNC_INTERVAL_MS = 1_000

function openStreamJournal({ maxRetainedBytes, onWarning }: ResolvedLocalOptions, dataDir: string): Journal {
  return openJournal({
    folder: join(dataDir, 'kinesis'),
    // Small enough that what is trimmed soon leaves the disk, large enough that few are open at a time.
    segmentBytes: Math.min(64 * 1024 * 1024, Math.max(1024 * 1024, Math.ceil(maxRetainedBytes / 8))),
    syncIntervalMs: SYNC_INTERVAL_MS,
    onWarning,
  })
}

function createServices(options: ResolvedLocalOptions, journal: Journal | undefined, url: () => string) {
  const { region, clock, maxRetainedBytes, shardLimits, writeBurst, streamTransitionMs, onWarning } = options
  const metrics = new MetricStore()
  // What another emulator serves is still called by our own parts, there.
  const replaced = replacedServices(options.endpoints, region)
  const ownSqs = new SqsService(url, region, ACCOUNT_ID, clock)
  const sqs = replaced.sqs ?? ownSqs
  const ownSns = new SnsService({ region, accountId: ACCOUNT_ID, clock, metrics, sqs, url })
  const sns = replaced.sns ?? ownSns
  const ownDynamodb = new DynamoDbService(region, ACCOUNT_ID)
  const queueMetrics = new QueueMetrics(() => ownSqs.queues, metrics, clock)
  const onEvaluate = () => queueMetrics.publish()
  const alarms = new Alarms({ store: metrics, clock, region, accountId: ACCOUNT_ID, sns, onEvaluate })
  return {
    metrics,
    kinesis: new KinesisService({
      region,
      accountId: ACCOUNT_ID,
      clock,
      metrics,
      shardLimits,
      writeBurst,
      streamTransitionMs,
      maxRetainedBytes,
      onEarlyTrim: onWarning,
      ...(journal === undefined ? {} : { journal }),
    }),
    journal,
    replaced,
    ownDynamodb,
    ownSqs,
    queueMetrics,
    ownSns,
    dynamodb: replaced.dynamodb ?? ownDynamodb,
    sqs,
    sns,
    alarms,
    firehose: new FirehoseService(),
    closing: new AbortController(),
    cloudWatch: new CloudWatchService(metrics, clock, alarms),
  }
}

function router({ onRequest, faults, clock, random, endpoints }: ResolvedLocalOptions, services: Services) {
  const exceeded = 'ProvisionedThroughputExceededException'
  const routes: Route[] = [
    { name: 'kinesis', version: '1.1', cbor: 'amz', service: services.kinesis, throttlingCode: exceeded },
    { name: 'dynamodb', version: '1.0', service: services.ownDynamodb, throttlingCode: exceeded },
    { name: 'sqs', version: '1.0', service: services.ownSqs, throttlingCode: 'RequestThrottled' },
    { name: 'sns', version: '1.0', query: SNS_QUERY, service: services.ownSns, throttlingCode: 'Throttled' },
    {
      name: 'firehose',
      version: '1.1',
      service: services.firehose,
      throttlingCode: 'ServiceUnavailableException',
    },
    {
      name: 'cloudwatch',
      version: '1.0',
      cbor: 'rpc-v2',
      query: CLOUDWATCH_QUERY,
      service: services.cloudWatch,
      throttlingCode: 'Throttling',
    },
  ]
  return createRouter({
    // The others are at their own endpoints: nobody asks for them here.
    routes: routes.filter(({ name }) => endpoints[name] === undefined),
    onRequest,
    faults,
    clock,
    random,
    closing: services.closing.signal,
  })
}

function assemble(
  { region, clock, random, endpoints, onWarning }: ResolvedLocalOptions,
  {
    kinesis,
    metrics,
    sqs,
    sns,
    dynamodb,
    ownSqs,
    queueMetrics,
    ownSns,
    ownDynamodb,
    replaced,
    queueUrls,
    topicArns,
    alarms,
    cloudWatch,
    firehose,
    journal,
    closing: stalls,
  }: CreatedServices,
  listener: Listener,
  folder: RunFolder,
  url: string,
): Local {
  const environment = {
    AWS_ENDPOINT_URL: url,
    ...endpointEnvironment(endpoints),
    AWS_REGION: region,
    // The AWS CLI and boto3 read this one.
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  }
  const deps: HostDependencies = {
    kinesis: replaced.kinesis ?? kinesis,
    sqs,
    sns,
    metrics,
    clock,
    region,
    accountId: ACCOUNT_ID,
    environment,
    url,
    random,
  }
  const readers: { close(): Promise<void> }[] = []
  const functions = new Map<string, LocalFunction>()
  const openNames = new Set<string>()
  firehose.attach({
    deps,
    onWarning,
    functionNamed: (name) => functions.get(name),
    destinationOf: (bucket) =>
      endpoints.s3 === undefined
        ? folderStore(join(folder.path, 'buckets', bucket))
        : { bucket, endpoint: endpoints.s3 },
  })
  const keep = <T extends B, B>(list: B[], item: T): T => {
    list.push(item)
    return item
  }
  queueMetrics.start()
  let closing: Promise<void> | undefined
  const close = async () => {
    try {
      await Promise.all([...readers.map((reader) => reader.close()), firehose.close()])
      await Promise.all([...functions.values()].map((fn) => fn.close()))
    } finally {
      // Whatever those did, the port is free and the folder in order afterwards.
      stalls.abort()
      alarms.close()
      queueMetrics.close()
      ownSqs.close()
      await listener.close()
      journal?.close()
      await ownDynamodb.close()
      await folder.close()
    }
  }
  const noQueue = (name: string, remedy: string) =>
    new StreamingError(`There is no queue ${name}${remedy}`, { code: 'NO_SUCH_QUEUE', retryable: false })
  const queue = (name: string) => {
    const found = ownSqs.queue(name)
    if (found !== undefined) return found
    const isElsewhere = replaced.sqs !== undefined
    throw noQueue(
      name,
      isElsewhere
        ? ' here: ask the endpoint that serves SQS.'
        : '. Name it in startLocal({ queues }), or create it.',
    )
  }
  return {
    url,
    region,
    accountId: ACCOUNT_ID,
    dataDir: folder.path,
    environment,
    kinesis,
    dynamodb,
    sqs,
    sns,
    cloudwatch: cloudWatch,
    firehose,
    metrics,
    queueUrl: (name) => (replaced.sqs && queueUrls.get(name)) ?? queue(name).url,
    topicArn: (name) => topicArns.get(name) ?? ownSns.topicArn(name),
    queueMessages: (name) => queue(name).messages,
    createFunction(options) {
      const fn = createLocalFunction(options, deps, () => functions.delete(fn.name))
      const { name } = fn
      // As Lambda does, with ResourceConflictException: its metrics, and who is meant by the name, would be anybody's guess.
      if (functions.has(name))
        throw new InvalidOptionError(
          'name',
          name,
          'There is a function of this name: take another, or close that one.',
        )
      functions.set(name, fn)
      return fn
    },
    createEventSourceMapping: (options) => keep(readers, createEventSourceMappingHost(options, deps)),
    createDeliveryStream: (options) => keep(readers, createDeliveryStreamHost(options, deps, { openNames })),
    close: () => {
      closing ??= close()
      return closing
    },
    [Symbol.asyncDispose]() {
      return this.close()
    },
  }
}
