import { encodeAggregate } from '../aggregated-record/encode-aggregate.js'
import { type ProducerSequence, producerTag } from '../aggregated-record/producer-tag.js'
import { toBuffer } from './test-data.js'

export interface TestMember {
  /** @default 'key-1' */
  partitionKey?: string
  /** Decimal; overrides the hash of the partition key. @default none */
  explicitHashKey?: string
  /** Text as it is, bytes as they are, anything else as JSON. */
  data: unknown
  /** Which record of which producer it is, as `tagRecords` of the producer says. @default nobody says */
  producer?: ProducerSequence
}

/** The data of an aggregated record with these members, as the KPL packs it: `kinesisEvent([{ data: aggregated([{ data: 'a' }]) }])`. */
export function aggregated(members: readonly TestMember[]): Buffer {
  return Buffer.from(
    encodeAggregate(
      members.map(({ partitionKey = 'key-1', explicitHashKey, data, producer }) => ({
        partitionKey,
        ...(explicitHashKey === undefined ? {} : { explicitHashKey }),
        data: toBuffer(data),
        tags: producer === undefined ? [] : [producerTag(producer)],
      })),
    ),
  )
}
