import { decodeAggregate, encodeAggregate } from '@org/kinesis-core'
import { inputOf } from '../../kinesis-producer/bench/sides/events.ts'

/** Records of 305 bytes in an aggregate of 50 kB. */
const MEMBERS = 150

/** User records that come out of aggregates, their MD5 checked, in a second of processor time. */
export function deaggregation(quick: boolean): number {
  const aggregates = Array.from({ length: 50 }, (_, index) =>
    encodeAggregate(
      Array.from({ length: MEMBERS }, (_, at) => {
        const { partitionKey, bytes } = inputOf(index * MEMBERS + at)
        return { partitionKey, data: bytes }
      }),
    ),
  )
  unpack(aggregates, 20)
  const before = process.cpuUsage()
  const records = unpack(aggregates, quick ? 40 : 200)
  const { user, system } = process.cpuUsage(before)
  return (records * 1e6) / (user + system)
}

function unpack(aggregates: readonly Uint8Array[], times: number): number {
  let records = 0
  for (let time = 0; time < times; time++) {
    for (const aggregate of aggregates) {
      const decoded = decodeAggregate(aggregate)
      if (decoded.kind !== 'aggregated') throw new Error('An aggregate could not be unpacked.')
      records += decoded.records.length
    }
  }
  return records
}
