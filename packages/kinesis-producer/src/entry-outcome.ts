import { type PutRecordsEntryResult, TransportFault } from './put-records-transport.js'

export type EntryOutcome = { shardId: string; sequenceNumber: string } | TransportFault

/** Reads one entry of a PutRecords response. HTTP 200 says nothing about it: a failed entry in a good response is the normal path. */
export function entryOutcome(result: PutRecordsEntryResult): EntryOutcome {
  const { shardId, sequenceNumber, errorCode, errorMessage } = result
  if (errorCode !== undefined) {
    return new TransportFault(`${errorCode}: ${errorMessage ?? 'no message'}`, {
      kind: isThrottle(errorCode) ? 'throttled' : 'transient',
      reason: errorCode,
      // The service says of these entries that it did not store them.
      maybeDelivered: false,
    })
  }
  if (shardId !== undefined && sequenceNumber !== undefined) return { shardId, sequenceNumber }
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

export function isThrottle(code: string): boolean {
  return (
    code === 'ProvisionedThroughputExceededException' ||
    code === 'LimitExceededException' ||
    code === 'KMSThrottlingException' ||
    code === 'ThrottlingException' ||
    code === 'Throttling' ||
    code === 'ThrottledException' ||
    code === 'RequestLimitExceeded' ||
    code === 'TooManyRequestsException' ||
    code === 'SlowDown'
  )
}
