import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type LedgerEntry, readLedger } from './ledger.js'

const folder = mkdtempSync(join(tmpdir(), 'ledger-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function read(text: string): Promise<LedgerEntry[]> {
  const file = join(folder, 'ledger.tsv')
  writeFileSync(file, text)
  const entries: LedgerEntry[] = []
  for await (const entry of readLedger(file)) entries.push(entry)
  return entries
}

describe('readLedger', () => {
  it('reads delivered and failed events, with escaped fields', async () => {
    const entries = await read(
      [
        '0\tgood\t1\te0\tu\\t1\tk\\\\1\t1000.250\tok\tshardId-000000000000\t77',
        '1\tbinary\t0\te1\tu\tk\t1001.000\tfailed:RECORD_EXPIRED\t\t',
      ].join('\n'),
    )

    expect(entries).toEqual([
      {
        index: 0,
        kind: 'good',
        decodable: true,
        eventId: 'e0',
        userId: 'u\t1',
        partitionKey: 'k\\1',
        putAtMs: 1000.25,
        delivered: true,
        shardId: 'shardId-000000000000',
        sequenceNumber: '77',
      },
      expect.objectContaining({ index: 1, decodable: false, delivered: false, sequenceNumber: '' }),
    ])
  })

  it('is empty where a generator could not begin', async () => {
    for await (const entry of readLedger('/no/such/ledger.tsv')) expect.unreachable(entry.kind)
  })

  it('passes over a last line that was torn off', async () => {
    expect(await read('0\tgood\t1\te0\tu\tk\t1000\tok\ts\t1\n1\tgood\t1\te1')).toHaveLength(1)
  })
})
