import type { Journal } from './journal.ts'
import { strayedHolders } from './judge-content.ts'
import { numberOf } from './record-data.ts'
import type { StreamContent } from './stream-content.ts'

/** What a run shows of aggregation, so that a campaign can tell that it happens. */
export function aggregationIn(content: StreamContent, { puts }: Journal) {
  const packed = content.records.filter(({ subSequenceNumber }) => subSequenceNumber !== undefined)
  const members = Map.groupBy(packed, ({ holder }) => holder)
  const strayed = [...strayedHolders(content).keys()]
  const divided = strayed.filter((holder) => {
    const receipts = members.get(holder)!.map(({ data }) => puts[numberOf(data) ?? -1]?.receipt)
    return new Set(receipts.flatMap((receipt) => receipt?.sequenceNumber ?? [])).size > 1
  })
  return {
    aggregates: members.size,
    packed: packed.length,
    strayed: strayed.length,
    divided: divided.length,
  }
}
