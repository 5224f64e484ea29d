import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { InvalidOptionError, sqsQuotas } from '@org/kinesis-core'
import { requireFunction } from '../handler-options.js'
import type { RejectedRecord, RejectedResult, RejectedSink } from '../rejected-record.js'

interface Entry {
  index: number
  body: string
  bytes: number
}

/**
 * Sends rejected records to a queue, one message each, its body the `RejectedRecord` as JSON. A record whose envelope passes the queue's
 * limit of 1 MiB fails, and so stays unresolved: it ends in the mapping's failure destination.
 */
export function sqsRejectedSink({ client, queueUrl }: { client: SQSClient; queueUrl: string }): RejectedSink {
  requireFunction('client', client?.send, 'Pass an SQSClient.')
  if (!queueUrl) throw new InvalidOptionError('queueUrl', queueUrl, 'Give the URL of the queue.')
  return {
    async write(records) {
      const results: RejectedResult[] = new Array(records.length)
      for (const batch of batches(records, results)) await send(client, queueUrl, batch, results)
      return results
    },
  }
}

function batches(records: readonly RejectedRecord[], results: RejectedResult[]): Entry[][] {
  const found: Entry[][] = []
  let bytesInBatch = 0
  for (const [index, record] of records.entries()) {
    const body = JSON.stringify(record)
    const bytes = Buffer.byteLength(body)
    if (bytes > sqsQuotas.maxMessageBytes) {
      const message = `The rejected record has ${bytes} bytes; a message has at most ${sqsQuotas.maxMessageBytes}.`
      results[index] = { stored: false, error: new Error(message) }
      continue
    }
    const last = found.at(-1)
    if (
      last === undefined ||
      last.length === sqsQuotas.maxBatchEntries ||
      bytesInBatch + bytes > sqsQuotas.maxMessageBytes
    ) {
      found.push([{ index, body, bytes }])
      bytesInBatch = bytes
    } else {
      last.push({ index, body, bytes })
      bytesInBatch += bytes
    }
  }
  return found
}

async function send(
  client: SQSClient,
  queueUrl: string,
  batch: readonly Entry[],
  results: RejectedResult[],
): Promise<void> {
  try {
    const { Successful = [], Failed = [] } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: batch.map(({ index, body }) => ({ Id: String(index), MessageBody: body })),
      }),
    )
    for (const { Id } of Successful) results[Number(Id)] = { stored: true }
    for (const { Id, Code, Message } of Failed) {
      results[Number(Id)] = {
        stored: false,
        error: new Error(`${Code}: ${Message ?? 'the queue refused the message'}`),
      }
    }
  } catch (error) {
    for (const { index } of batch) results[index] = { stored: false, error }
  }
}
