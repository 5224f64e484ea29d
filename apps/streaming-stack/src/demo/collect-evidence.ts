import { writeFile } from 'node:fs/promises'
import { type Evidence, position, type RejectedEvidence } from './account.js'
import type { RunFolders } from './data-dir.js'
import { dumpTable, readFailures, readLake } from './evidence.js'
import { type LedgerEntry, readLedger } from './ledger.js'
import { names, type Pipeline } from './pipeline.js'

/** Gathers what a run left, each from its own place, and keeps the tables and the rejected records as files on the way. */
export async function collectEvidence(pipeline: Pipeline, folders: RunFolders): Promise<Evidence> {
  const ledger: LedgerEntry[] = []
  for await (const entry of readLedger(folders.ledger)) ledger.push(entry)
  const stored = new Map<string, number>()
  await dumpTable(pipeline.dynamo, names.processedTable, folders.processed, ({ event_id: eventId }) => {
    stored.set(String(eventId), (stored.get(String(eventId)) ?? 0) + 1)
  })
  let windowed = 0
  await dumpTable(pipeline.dynamo, names.windowsTable, folders.windows, ({ event_count: events }) => {
    // Partials of one window add up.
    windowed += Number(events)
  })
  const rejected = pipeline.local.queueMessages(names.rejectedQueue).map(({ body }) => body)
  await writeFile(folders.rejected, rejected.map((body) => `${body}\n`).join(''))
  return {
    ledger,
    stored,
    firstWrites: pipeline.observer.firstWrites,
    rejected: rejected.map(rejectedEvidence),
    deadLettered: await readFailures(folders.failures),
    lake: await readLake(folders.lake),
    windowed,
  }
}

function rejectedEvidence(body: string): RejectedEvidence {
  const envelope = JSON.parse(body) as Record<'shardId' | 'sequenceNumber' | 'reasonCode' | 'payload', string>
  return {
    position: position(envelope.shardId, envelope.sequenceNumber),
    reasonCode: envelope.reasonCode,
    payload: envelope.payload,
  }
}
