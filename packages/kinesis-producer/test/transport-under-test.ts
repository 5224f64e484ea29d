import { startLocal } from '@org/kinesis-local'
import { afterEach, expect } from 'vitest'
import { AwsSdkTransport, type AwsSdkTransportOptions } from '../src/aws-sdk-transport.js'
import {
  type OutgoingEntry,
  type PutRecordsEntryResult,
  TransportFault,
} from '../src/put-records-transport.js'
import { answer, credentials, httpSink, storedAnswer } from './http-sink.js'

type LocalOptions = NonNullable<Parameters<typeof startLocal>[0]>
export type FaultAction = ReturnType<NonNullable<LocalOptions['faults']>>

export const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export function aTransport(endpoint: string, options: Partial<AwsSdkTransportOptions> = {}) {
  const transport = new AwsSdkTransport({
    region: 'us-east-1',
    endpoint,
    credentials,
    maxConnections: 4,
    ...options,
  })
  cleanups.push(() => transport.close())
  return transport
}

export async function aSink(respond?: Parameters<typeof httpSink>[0]) {
  const sink = await httpSink(
    respond ?? ((request, response) => answer(response, storedAnswer(request.json.Records.length))),
  )
  cleanups.push(() => sink.close())
  return sink
}

/** The local service with one stream, `orders`. `faults` sees the PutRecords calls alone, numbered from 1. */
export async function aService(
  options: Omit<LocalOptions, 'faults'> = {},
  faults?: (call: number) => FaultAction,
) {
  let calls = 0
  const local = await startLocal({
    streams: [{ name: 'orders', shards: 1 }],
    faults: (call) => (call.operation === 'PutRecords' ? faults?.(++calls) : undefined),
    ...options,
  })
  cleanups.push(() => local.close())
  return local
}

export const orders = { streamName: 'orders' }

export function put(
  transport: AwsSdkTransport,
  entries: OutgoingEntry[],
  stream: { streamName: string } = orders,
) {
  return transport.putRecords(stream, entries, new AbortController().signal)
}

export function records(...texts: string[]): OutgoingEntry[] {
  return texts.map((text) => ({
    data: Buffer.from(text),
    dataBytes: Buffer.byteLength(text),
    partitionKey: `key of ${text}`,
    explicitHashKey: undefined,
  }))
}

export const failure = (request: Promise<unknown>): Promise<TransportFault> =>
  request.then(
    () => {
      throw new Error('The request was a success.')
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(TransportFault)
      return error as TransportFault
    },
  )

export const sequenceNumbers = (results: readonly PutRecordsEntryResult[]) =>
  results.map((result) => result.sequenceNumber)
