import { isThrottlingCode } from '@org/kinesis-core'
import { type PutRecordsEntryResult, TransportFault } from './put-records-transport.js'
import { StoredEntry } from './stored-entry.js'

/** Where an entry was stored. */
export interface Landed {
  readonly shardId: string
  readonly sequenceNumber: string
}

/** Reads one entry of a PutRecords response. HTTP 200 says nothing about it: a failed entry in a good response is the normal path. */
export function entryOutcome(result: PutRecordsEntryResult | null | undefined): Landed | TransportFault {
  if (result instanceof StoredEntry) return result
  // A transport of the user's may be JavaScript: what is no result, or none of ours, must not pass for one.
  const { shardId, sequenceNumber, errorCode, errorMessage } = result ?? {}
  if (typeof errorCode === 'string') {
    return new TransportFault(`${errorCode}: ${errorMessage ?? 'no message'}`, {
      kind: isThrottlingCode(errorCode) ? 'throttled' : 'transient',
      reason: errorCode,
      // The service says of these entries that it did not store them.
      maybeDelivered: false,
    })
  }
  if (typeof shardId === 'string' && typeof sequenceNumber === 'string') return { shardId, sequenceNumber }
  return new TransportFault('The response has an entry with neither a sequence number nor an error code.', {
    kind: 'transient',
    reason: 'MalformedResponse',
    maybeDelivered: true,
  })
}

/** The answer has more or fewer entries than the request: nothing in it can be told apart any more. */
export function entryCountFault(expected: number, received: number): TransportFault {
  return new TransportFault(`The response has ${received} entries, the request had ${expected}.`, {
    kind: 'transient',
    reason: 'EntryCountMismatch',
    maybeDelivered: true,
  })
}

/** An aggregate landed in a shard that is not that of all its members: consumers drop it whole. */
export function wrongShardFault(shardId: string): TransportFault {
  return new TransportFault(
    `The aggregate landed in ${shardId}, which is not the shard of all its records.`,
    {
      kind: 'transient',
      reason: 'WrongShard',
      maybeDelivered: true,
    },
  )
}
