import { describe, expect, it } from 'vitest'
import { KinesisProducer, type ProducerError, type PutRecordsTransport } from '../src/index.js'
import { openShards } from './scripted-transport.js'

/** As JavaScript may have it: the types are not kept. */
async function failureOf(answer: unknown): Promise<ProducerError> {
  const transport = {
    putRecords: async () => answer,
    listShards: async () => openShards(1),
    close: () => {},
  } as PutRecordsTransport
  const producer = new KinesisProducer({ streamName: 'orders', transport, lingerMs: 0, maxAttempts: 1 })
  const outcome = await producer.put({ partitionKey: 'a', data: 'x' }).catch((error: unknown) => error)
  await producer.close()
  return outcome as ProducerError
}

describe("a transport of the user's", () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an object', { Records: [] }],
    ['no results', []],
    ['an empty result', [{}]],
    ['a result that is null', [null]],
    ['a result with numbers', [{ shardId: 1, sequenceNumber: 2 }]],
  ])('that resolves with %s fails the records as maybe delivered', async (_, answer) => {
    expect(await failureOf(answer)).toMatchObject({ code: 'ATTEMPTS_EXHAUSTED', maybeDelivered: true })
  })
})
