/** When an event was first seen stored, and in which order the table took it. */
export interface FirstWrite {
  atMs: number
  /** Writes of one request share their order: DynamoDB promises none among them. */
  order: number
}

export interface ObservedRequest {
  service: string
  operation: string
  statusCode: number
  requestBody: Buffer
  responseBody: Buffer | undefined
  finishedAtMs: number
}

interface WriteRequest {
  PutRequest?: { Item: Record<string, { S?: string }> }
}

/**
 * Watches one table from the outside, at the service's own door: which events its answers acknowledged, when, and in which order.
 * The account's latency and order come from here, not from what the pipeline says of itself.
 */
export class StoreObserver {
  readonly firstWrites = new Map<string, FirstWrite>()
  #order = 0

  constructor(private readonly tableName: string) {}

  readonly observe = (request: ObservedRequest): void => {
    if (request.service !== 'dynamodb' || request.statusCode !== 200) return
    if (request.operation === 'BatchWriteItem') this.#batchWrite(request)
    else if (request.operation === 'PutItem') this.#put(request)
  }

  #batchWrite({ requestBody, responseBody, finishedAtMs }: ObservedRequest): void {
    const written = parse(requestBody).RequestItems?.[this.tableName]
    if (written === undefined) return
    const refused = new Set(
      (responseBody === undefined ? undefined : parse(responseBody).UnprocessedItems?.[this.tableName])?.map(
        eventIdOf,
      ),
    )
    const order = this.#order++
    for (const write of written) {
      const eventId = eventIdOf(write)
      if (eventId !== undefined && !refused.has(eventId)) this.#note(eventId, finishedAtMs, order)
    }
  }

  #put({ requestBody, finishedAtMs }: ObservedRequest): void {
    const { TableName, Item } = JSON.parse(requestBody.toString('utf8')) as {
      TableName?: string
      Item?: Record<string, { S?: string }>
    }
    const eventId = Item?.event_id?.S
    if (TableName === this.tableName && eventId !== undefined)
      this.#note(eventId, finishedAtMs, this.#order++)
  }

  #note(eventId: string, atMs: number, order: number): void {
    if (!this.firstWrites.has(eventId)) this.firstWrites.set(eventId, { atMs, order })
  }
}

function parse(body: Buffer): Record<string, Record<string, WriteRequest[]> | undefined> {
  return JSON.parse(body.toString('utf8'))
}

function eventIdOf(write: WriteRequest): string | undefined {
  return write.PutRequest?.Item.event_id?.S
}
