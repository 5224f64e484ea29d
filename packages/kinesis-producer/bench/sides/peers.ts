import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Writable } from 'node:stream'
import { type Event, type Input, inputOf } from './events.ts'
import { clientOptions, inParallel, type Side, STREAM, type Target } from './side.ts'

/*
 * Packages on npm that put records in batches. All are built on version 2 of the AWS SDK. They get what suits them best: connections that are
 * kept, 500 records in a call, and eight calls in flight.
 */
const require = createRequire(import.meta.url)
const RECORDS_IN_A_CALL = 500
const CALLS_IN_FLIGHT = 8

interface LifionKinesis {
  putRecords(params: {
    records: { data: unknown; partitionKey: string }[]
  }): Promise<{ records: { sequenceNumber?: string }[] }>
}

/** Takes objects and strings; it has no batching of its own. */
export function lifionSide(target: Target, dataOf: (input: Input) => Event | string): Side {
  const Lifion = require('lifion-kinesis') as new (params: object) => LifionKinesis
  const client = new Lifion({ streamName: STREAM, createStreamIfNeeded: false, ...clientOptions(target) })
  return {
    async put(records) {
      let next = 0
      await inParallel(CALLS_IN_FLIGHT, async () => {
        if (next >= records) return false
        const batch = []
        for (const end = Math.min(records, next + RECORDS_IN_A_CALL); next < end; next++) {
          const input = inputOf(next)
          batch.push({ data: dataOf(input), partitionKey: input.partitionKey })
        }
        const { records: results } = await client.putRecords({ records: batch })
        if (results.length !== batch.length) throw new Error('Records are missing from the answer.')
        return true
      })
      return records
    },
  }
}

/** A writable that forgets what it sent: calls in flight are held at eight by counting its calls of the SDK from outside. */
export function awsKinesisWritableSide(target: Target): Side {
  const AWS = require('aws-sdk') as {
    Kinesis: new (
      params: object,
    ) => {
      putRecords(params: { Records: unknown[] }, done: (error: Error | null) => void): void
    }
  }
  const KinesisStream = require('aws-kinesis-writable') as new (params: object) => Writable
  const client = new AWS.Kinesis(clientOptions(target))
  let accepted = 0
  let inFlight = 0
  let failure: Error | undefined
  let landed = () => {}
  const kinesis = {
    putRecords(params: { Records: unknown[] }, done: (error: Error | null) => void) {
      inFlight++
      client.putRecords(params, (error) => {
        inFlight--
        if (error) failure = error
        else accepted += params.Records.length
        done(error)
        landed()
      })
    },
  }
  const stream = new KinesisStream({
    streamName: STREAM,
    objectMode: true,
    partitionKey: (event: Event) => event.user_id,
    buffer: { length: RECORDS_IN_A_CALL, timeout: 1 },
    kinesis,
  })
  const until = async (isMet: () => boolean) => {
    while (!isMet()) {
      await new Promise<void>((resolve) => {
        landed = resolve
      })
      if (failure !== undefined) throw failure
    }
  }
  return {
    async put(records) {
      accepted = 0
      for (let index = 0; index < records; index++) {
        stream.write(inputOf(index).event)
        if (inFlight >= CALLS_IN_FLIGHT) await until(() => inFlight < CALLS_IN_FLIGHT)
      }
      await until(() => accepted >= records)
      return records
    },
  }
}

/** A writable with one call in flight, so eight of them share the records. */
export function kinesisStreamsSide(target: Target): Side {
  const AWS = require('aws-sdk') as { Kinesis: new (params: object) => unknown }
  const { KinesisWritable } = require('kinesis-streams') as {
    KinesisWritable: new (
      client: unknown,
      streamName: string,
      params: object,
    ) => Writable & { getPartitionKey(event: Event): string }
  }
  class ByUser extends KinesisWritable {
    override getPartitionKey(event: Event): string {
      return event.user_id
    }
  }
  const client = new AWS.Kinesis(clientOptions(target))
  return {
    async put(records) {
      const streams = Array.from(
        { length: CALLS_IN_FLIGHT },
        () => new ByUser(client, STREAM, { highWaterMark: RECORDS_IN_A_CALL }),
      )
      await Promise.all(
        streams.map(async (stream, number) => {
          for (let index = number; index < records; index += streams.length) {
            if (!stream.write(inputOf(index).event)) await once(stream, 'drain')
          }
          stream.end()
          await once(stream, 'finish')
        }),
      )
      return records
    },
  }
}
