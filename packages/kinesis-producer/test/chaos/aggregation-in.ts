import type { Journal } from './journal.ts'
import { strayedHolders } from './judge-content.ts'
import { numberOf } from './record-data.ts'
import type { StoredRecord, StreamContent } from './stream-content.ts'

/** What a run shows of aggregation, so that a campaign can tell that it happens. */
export function aggregationIn(content: StreamContent, { puts }: Journal) {
  const members = new Map<StoredRecord['holder'], StoredRecord[]>()
  for (const stored of content.records) {
    if (stored.subSequenceNumber === undefined) continue
    const known = members.get(stored.holder)
    if (known === undefined) members.set(stored.holder, [stored])
    else known.push(stored)
  }
  const strayed = [...strayedHolders(content).keys()]
  const divided = strayed.filter((holder) => {
    const receipts = members.get(holder)!.map(({ data }) => puts[numberOf(data) ?? -1]?.receipt)
    return new Set(receipts.flatMap((receipt) => receipt?.sequenceNumber ?? [])).size > 1
  })
  return {
    aggregates: members.size,
    packed: [...members.values()].reduce((sum, { length }) => sum + length, 0),
    strayed: strayed.length,
    divided: divided.length,
  }
}
