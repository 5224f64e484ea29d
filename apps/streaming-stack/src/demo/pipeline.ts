import { fileURLToPath } from 'node:url'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { PROCESSING_NAMESPACE, type TopologyManifest, type TopologyNode } from '@org/kinesis-core'
import { type Local, type LocalFunction, startLocal } from '@org/kinesis-local'
import { pipelineEdges } from '../pipeline-edges.js'
import type { RunFolders } from './data-dir.js'
import { type ObservedRequest, StoreObserver } from './store-observer.js'
import { processedDataTable, windowsTable } from './tables.js'

/** As in the deployed stack, with `local` for the environment. */
export const names = {
  stream: 'kinesis-streaming-local-data-stream',
  processedTable: 'kinesis-streaming-local-processed-data',
  windowsTable: 'kinesis-streaming-local-windows',
  rejectedQueue: 'kinesis-streaming-local-rejected',
  deliveryStream: 'kinesis-streaming-local-delivery-stream',
  processor: 'kinesis-streaming-local-stream-processor',
  transform: 'kinesis-streaming-local-data-transform',
  windows: 'kinesis-streaming-local-analytics',
} as const

export interface PipelineOptions {
  shards: number
  folders: RunFolders
  /** `crash`: the processor is killed now and then, after its writes and before its answer. */
  chaos: 'crash' | undefined
  onLogLine: (line: string) => void
}

export type Pipeline = Awaited<ReturnType<typeof startPipeline>>

const crashes = { first: 4, every: 9, most: 3 }

/** Assembles the deployed stack on this machine: the same handlers, the same settings, local services. */
export async function startPipeline({ shards, folders, chaos, onLogLine }: PipelineOptions) {
  const observer = new StoreObserver(names.processedTable)
  const local = await startLocal({
    dataDir: folders.root,
    streams: [{ name: names.stream, shards }],
    tables: [processedDataTable(names.processedTable), windowsTable(names.windowsTable)],
    queues: [names.rejectedQueue],
    onRequest: (request: ObservedRequest) => observer.observe(request),
  })
  try {
    let crashed = 0
    const create = (name: string, handler: string, fault?: () => 'crash-after' | undefined): LocalFunction =>
      local.createFunction({
        name,
        file: fileURLToPath(new URL(`../handlers/${handler}/index.mjs`, import.meta.url)),
        environment: {
          PROCESSED_TABLE_NAME: names.processedTable,
          WINDOWS_TABLE_NAME: names.windowsTable,
          REJECTED_QUEUE_URL: local.queueUrl(names.rejectedQueue),
          POWERTOOLS_SERVICE_NAME: name,
          POWERTOOLS_METRICS_NAMESPACE: PROCESSING_NAMESPACE,
        },
        // One machine: a child process a core is as fast as ten.
        maxConcurrency: 2,
        onLogLine,
        ...(fault === undefined ? {} : { fault }),
      })

    let invocations = 0
    const crashNowAndThen = () => {
      invocations += 1
      if (
        crashed >= crashes.most ||
        invocations < crashes.first ||
        (invocations - crashes.first) % crashes.every !== 0
      ) {
        return undefined
      }
      crashed += 1
      return 'crash-after' as const
    }
    const processor = create(
      names.processor,
      'stream-processor',
      chaos === 'crash' ? crashNowAndThen : undefined,
    )
    const transform = create(names.transform, 'data-transform')
    const windows = create(names.windows, 'windows')

    const processing = local.createEventSourceMapping({
      streamName: names.stream,
      function: processor,
      batchSize: 100,
      parallelizationFactor: 2,
      maximumRetryAttempts: 3,
      maximumRecordAgeMs: 3_600_000,
      bisectBatchOnFunctionError: true,
      reportBatchItemFailures: true,
      onFailure: { folder: folders.failures },
    })
    const windowing = local.createEventSourceMapping({
      streamName: names.stream,
      function: windows,
      batchSize: 1_000,
      tumblingWindowMs: 60_000,
      maximumRetryAttempts: 3,
      onFailure: { folder: folders.windowFailures },
    })
    const delivery = local.createDeliveryStream({
      name: names.deliveryStream,
      streamName: names.stream,
      transform,
      folder: folders.lake,
      // Shorter than the stack's 300 s, so that somebody who watches sees objects arrive.
      bufferIntervalMs: 10_000,
    })

    return {
      local,
      observer,
      processing,
      windowing,
      delivery,
      dynamo: new DynamoDBClient({
        endpoint: local.url,
        region: local.region,
        credentials: dummyCredentials,
      }),
      topology: topologyOf(local, folders),
      crashes: () => crashed,
    }
  } catch (error) {
    await local.close()
    throw error
  }
}

/** What the local services accept: anything. */
export const dummyCredentials = { accessKeyId: 'local', secretAccessKey: 'local' }

function topologyOf(local: Local, folders: RunFolders): TopologyManifest {
  const nodes: TopologyNode[] = [
    { id: 'stream', kind: 'stream', name: names.stream },
    { id: 'stream-processor', kind: 'function', name: names.processor },
    { id: 'data-transform', kind: 'function', name: names.transform },
    { id: 'windows', kind: 'function', name: names.windows },
    { id: 'processed-data', kind: 'table', name: names.processedTable },
    { id: 'window-results', kind: 'table', name: names.windowsTable },
    { id: 'rejected', kind: 'queue', name: names.rejectedQueue },
    { id: 'failures', kind: 'folder', name: folders.failures },
    { id: 'window-failures', kind: 'folder', name: folders.windowFailures },
    { id: 'delivery', kind: 'delivery-stream', name: names.deliveryStream },
    { id: 'data-lake', kind: 'folder', name: folders.lake },
  ]
  const { region, url: endpointUrl } = local
  return { version: 1, kind: 'local', region, endpointUrl, nodes, edges: pipelineEdges(nodes) }
}
