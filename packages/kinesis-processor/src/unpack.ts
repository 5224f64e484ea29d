import { isPermanent, type PermanentError, undecodable } from './errors.js'
import type { StreamRecord } from './stream-record.js'

/**
 * Takes a record apart that holds several: gives their bytes, in order, and the same each time. None: the record is passed over. What it
 * throws rejects the whole record as undecodable.
 */
export type Unpack = (data: Uint8Array) => readonly Uint8Array[]

/** Numbers the parts of all that share a sequence number, so that each has a position of its own. */
export function unpackEach(records: readonly StreamRecord[], unpack: Unpack): StreamRecord[] {
  const unpacked: StreamRecord[] = []
  let sequenceNumber: string | undefined
  let subSequenceNumber = 0
  for (const record of records) {
    if (record.position.sequenceNumber !== sequenceNumber) {
      sequenceNumber = record.position.sequenceNumber
      subSequenceNumber = 0
    }
    // The producer's number is that of the whole: its parts would all have the same.
    const { producer: _, ...position } = record.position
    for (const { data, fault } of partsOf(record, unpack)) {
      unpacked.push({ position: { ...position, subSequenceNumber: subSequenceNumber++ }, data, fault })
    }
  }
  return unpacked
}

type Part = Omit<StreamRecord, 'position'>

function partsOf({ data, fault }: StreamRecord, unpack: Unpack): Part[] {
  if (fault !== undefined) return [{ data, fault }]
  try {
    return unpack(data).map((part) => ({ data: part, fault: undefined }))
  } catch (cause) {
    return [{ data, fault: asUndecodable(cause) }]
  }
}

function asUndecodable(cause: unknown): PermanentError {
  if (isPermanent(cause) && cause.reasonCode !== undefined) return cause
  return undecodable('The record could not be unpacked.', cause)
}
