import { createReadStream, createWriteStream } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { type AttributeValue, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { position } from './account.js'

/** Every item of a table, one JSON line each, into a file; and what `note` makes of them on the way. */
export async function dumpTable(
  client: DynamoDBClient,
  tableName: string,
  file: string,
  note: (item: Record<string, unknown>) => void,
): Promise<void> {
  await pipeline(async function* () {
    for await (const marshalled of scan(client, tableName)) {
      const item = unmarshall(marshalled)
      note(item)
      yield `${toJson(item)}\n`
    }
  }, createWriteStream(file))
}

/** With every digit: numbers that a double does not hold come out of the table as bigints. */
function toJson(item: unknown): string {
  return JSON.stringify(item, (_name, value: unknown) =>
    typeof value === 'bigint' ? JSON.rawJSON(String(value)) : value,
  )
}

async function* scan(
  client: DynamoDBClient,
  tableName: string,
): AsyncGenerator<Record<string, AttributeValue>> {
  let start: Record<string, AttributeValue> | undefined
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: tableName,
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    )
    yield* page.Items ?? []
    start = page.LastEvaluatedKey
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
