import { createReadStream } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { position } from './account.js'

/** Items per event id, from a scan of the table. */
export async function scanEventIds(client: DynamoDBClient, tableName: string): Promise<Map<string, number>> {
  const items = new Map<string, number>()
  for await (const item of scan(client, tableName, 'event_id')) {
    const eventId = item.event_id?.S ?? '(none)'
    items.set(eventId, (items.get(eventId) ?? 0) + 1)
  }
  return items
}

/** Events in all windows: partials of one window add up. */
export async function countWindowedEvents(client: DynamoDBClient, tableName: string): Promise<number> {
  let events = 0
  for await (const item of scan(client, tableName, 'event_count')) events += Number(item.event_count?.N ?? 0)
  return events
}

async function* scan(client: DynamoDBClient, tableName: string, attribute: string) {
  let start: Record<string, never> | undefined
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: tableName,
        ProjectionExpression: '#attribute',
        ExpressionAttributeNames: { '#attribute': attribute },
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    )
    yield* page.Items ?? []
    start = page.LastEvaluatedKey as typeof start
  } while (start !== undefined)
}

/** Lines per event id, from the objects themselves. */
export async function readLake(folder: string): Promise<Map<string, number>> {
  const lines = new Map<string, number>()
  for await (const object of glob('year=*/month=*/day=*/hour=*/*.gz', { cwd: folder })) {
    const input = createReadStream(join(folder, object)).pipe(createGunzip())
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const eventId = String((JSON.parse(line) as { event_id?: unknown }).event_id ?? '(none)')
      lines.set(eventId, (lines.get(eventId) ?? 0) + 1)
    }
  }
  return lines
}

interface FailureDocument {
  payload?: { Records?: { eventID: string; kinesis: { sequenceNumber: string } }[] } | string
}

/** Positions of all records in the failure destination, which keeps the batches that were given up. */
export async function readFailures(folder: string): Promise<Set<string>> {
  const positions = new Set<string>()
  for await (const file of glob('**/*.json', { cwd: folder })) {
    const document = JSON.parse(await readFile(join(folder, file), 'utf8')) as FailureDocument
    const payload = typeof document.payload === 'string' ? JSON.parse(document.payload) : document.payload
    for (const record of payload?.Records ?? []) {
      positions.add(position(record.eventID.split(':')[0]!, record.kinesis.sequenceNumber))
    }
  }
  return positions
}
