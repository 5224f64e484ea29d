import { describe, expect, it } from 'vitest'
import { type ObservedRequest, StoreObserver } from './store-observer.js'

const TABLE = 'processed'

function request(operation: string, body: unknown, more: Partial<ObservedRequest> = {}): ObservedRequest {
  return {
    service: 'dynamodb',
    operation,
    statusCode: 200,
    requestBody: Buffer.from(JSON.stringify(body)),
    responseBody: Buffer.from('{}'),
    finishedAtMs: 1_000,
    ...more,
  }
}

const put = (eventId: string) => ({ PutRequest: { Item: { event_id: { S: eventId } } } })

describe('StoreObserver', () => {
  it('notes when and in which order events were first acknowledged', () => {
    const observer = new StoreObserver(TABLE)
    observer.observe(request('BatchWriteItem', { RequestItems: { [TABLE]: [put('a'), put('b')] } }))
    observer.observe(
      request('PutItem', { TableName: TABLE, Item: put('c').PutRequest.Item }, { finishedAtMs: 2_000 }),
    )

    expect(Object.fromEntries(observer.firstWrites)).toEqual({
      a: { atMs: 1_000, order: 0 },
      b: { atMs: 1_000, order: 0 },
      c: { atMs: 2_000, order: 1 },
    })
  })

  it('keeps the first time of what is written again', () => {
    const observer = new StoreObserver(TABLE)
    const write = { RequestItems: { [TABLE]: [put('a')] } }
    observer.observe(request('BatchWriteItem', write))
    observer.observe(request('BatchWriteItem', write, { finishedAtMs: 9_000 }))

    expect(observer.firstWrites.get('a')).toEqual({ atMs: 1_000, order: 0 })
  })

  it('does not take what the table left unprocessed for stored', () => {
    const observer = new StoreObserver(TABLE)
    const responseBody = Buffer.from(JSON.stringify({ UnprocessedItems: { [TABLE]: [put('b')] } }))
    observer.observe(
      request('BatchWriteItem', { RequestItems: { [TABLE]: [put('a'), put('b')] } }, { responseBody }),
    )

    expect([...observer.firstWrites.keys()]).toEqual(['a'])
  })

  it.each([
    [
      'a refused request',
      request('BatchWriteItem', { RequestItems: { [TABLE]: [put('a')] } }, { statusCode: 400 }),
    ],
    ['another table', request('BatchWriteItem', { RequestItems: { other: [put('a')] } })],
    [
      'another service',
      request('BatchWriteItem', { RequestItems: { [TABLE]: [put('a')] } }, { service: 'sqs' }),
    ],
    ['a read', request('Scan', { TableName: TABLE })],
  ])('passes over %s', (_, observed) => {
    const observer = new StoreObserver(TABLE)
    observer.observe(observed)

    expect(observer.firstWrites.size).toBe(0)
  })
})
