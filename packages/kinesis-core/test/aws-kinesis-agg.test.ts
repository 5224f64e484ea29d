import { createRequire } from 'node:module'
import { decodeAggregate, encodeAggregate, type UserRecord } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { userRecord } from './support/containers.js'

interface AwsKinesisAgg {
  deaggregateSync(
    record: { data: string; sequenceNumber: string },
    computeChecksums: boolean,
    done: (
      error: Error | undefined,
      members?: {
        partitionKey: string
        explicitPartitionKey?: string
        data: string
        subSequenceNumber: number
      }[],
    ) => void,
  ): void
  RecordAggregator: new () => {
    addUserRecord(record: UserRecord): void
    build(): { data: Buffer }
  }
}

// Its own types need the AWS SDK of version 2.
const require = createRequire(import.meta.url)
const peer: AwsKinesisAgg = require('aws-kinesis-agg')

const records = (record: fc.Arbitrary<UserRecord>) => fc.array(record, { minLength: 1, maxLength: 30 })

/**
 * What it gets right: it gives a record without an explicit hash key the first of the table, and mixes up partition keys
 * that look like array indices.
 */
const userRecordOfItsKind = fc
  .tuple(userRecord, fc.bigInt({ min: 1n << 64n, max: (1n << 128n) - 1n }))
  .map(([{ partitionKey, data }, hashKey]) => ({
    partitionKey: `key ${partitionKey}`,
    explicitHashKey: `${hashKey}`,
    data: Buffer.from(data),
  }))

function deaggregate(container: Uint8Array) {
  let result: unknown
  const data = Buffer.from(container).toString('base64')
  peer.deaggregateSync({ data, sequenceNumber: '0' }, true, (error, members) => {
    result = error ?? members
  })
  return result
}

describe('npm aws-kinesis-agg', () => {
  it('reads what we write, tags and all', () => {
    fc.assert(
      fc.property(records(userRecord), (written) => {
        expect(deaggregate(encodeAggregate(written))).toMatchObject(
          written.map(({ partitionKey, data }, subSequenceNumber) => ({
            partitionKey,
            data: Buffer.from(data).toString('base64'),
            subSequenceNumber,
          })),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('reads explicit hash keys as we write them', () => {
    fc.assert(
      fc.property(records(userRecordOfItsKind), (written) => {
        expect(deaggregate(encodeAggregate(written))).toMatchObject(
          written.map(({ explicitHashKey }) => ({ explicitPartitionKey: explicitHashKey })),
        )
      }),
    )
  })

  it('writes what we write, byte for byte, and we read it', () => {
    fc.assert(
      fc.property(records(userRecordOfItsKind), (written) => {
        const aggregator = new peer.RecordAggregator()
        for (const record of written) aggregator.addUserRecord({ ...record })
        const { data } = aggregator.build()

        expect(data.equals(encodeAggregate(written))).toBe(true)
        expect(decodeAggregate(data)).toEqual({
          kind: 'aggregated',
          records: written.map((record) => ({ ...record, tags: [] })),
        })
      }),
    )
  })
})
