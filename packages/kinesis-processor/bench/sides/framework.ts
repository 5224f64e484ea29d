import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import type { KinesisEvent, KinesisEventRecord } from '@org/kinesis-core'
import { json, kinesisHandler, type SinkResult } from '@org/kinesis-processor'
import { type Side, schema } from './side.ts'

/*
 * Decode, validate, and hand over to a store that does nothing: what is left is what a framework costs.
 */
let stored = 0
const store = async (value: object) => {
  if (value !== undefined) stored++
}

export const storedRecords = () => stored

/** What one writes by hand, without order, retries, rejections or a checkpoint. */
export function plainLoopSide(): Side {
  return async ({ Records }) => {
    for (const { kinesis } of Records) {
      await store(schema.parse(JSON.parse(Buffer.from(kinesis.data, 'base64').toString())))
    }
    return { batchItemFailures: [] }
  }
}

export function powertoolsSide(): Side {
  const processor = new BatchProcessor(EventType.KinesisDataStreams)
  const handle = async ({ kinesis }: KinesisEventRecord) => {
    await store(schema.parse(JSON.parse(Buffer.from(kinesis.data, 'base64').toString())))
  }
  return (event: KinesisEvent) =>
    processPartialResponse(event as never, handle as never, processor, { processInParallel: false })
}

export function oursSide(): Side {
  const isStored: SinkResult = { stored: true }
  const handler = kinesisHandler({
    decode: json(schema),
    sink: {
      async write(records) {
        stored += records.length
        return records.map(() => isStored)
      },
    },
    rejected: { write: async () => Promise.reject(new Error('Nothing is to be rejected here.')) },
  })
  const context = {
    functionName: 'bench',
    awsRequestId: 'bench',
    getRemainingTimeInMillis: () => 600_000,
  }
  return (event) => handler(event, context)
}
