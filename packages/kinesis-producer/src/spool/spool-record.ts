/** What the spool keeps of a record. */
export interface SpoolRecord {
  partitionKey: string
  explicitHashKey: string | undefined
  data: Uint8Array
}

/** A record that the process before admitted and did not settle. */
export interface RecoveredRecord extends SpoolRecord {
  /** For `settle`. */
  position: number
  /** When it was admitted, in milliseconds since the epoch. */
  appendedAtMs: number
}

// Length of the partition key (2), length of the explicit hash key, 0 for none (1), time of the append (8, a double); then the key and
// the explicit hash key in UTF-8, then the data.
const FIXED_BYTES = 2 + 1 + 8
/** UTF-8 never takes more for a unit of UTF-16. */
const MAX_BYTES_PER_UNIT = 3

/** At least what `writeRecord` needs. */
export function maxPayloadBytes({ partitionKey, explicitHashKey, data }: SpoolRecord): number {
  const units = partitionKey.length + (explicitHashKey?.length ?? 0)
  return FIXED_BYTES + units * MAX_BYTES_PER_UNIT + data.byteLength
}

/** Returns where it ends. */
export function writeRecord(target: Buffer, at: number, record: SpoolRecord, appendedAtMs: number): number {
  const { partitionKey, explicitHashKey, data } = record
  const keyAt = at + FIXED_BYTES
  const keyBytes = target.write(partitionKey, keyAt)
  const hashKeyBytes =
    explicitHashKey === undefined ? 0 : target.write(explicitHashKey, keyAt + keyBytes, 'latin1')
  target.writeUInt16LE(keyBytes, at)
  target.writeUInt8(hashKeyBytes, at + 2)
  target.writeDoubleLE(appendedAtMs, at + 3)
  const dataAt = keyAt + keyBytes + hashKeyBytes
  target.set(data, dataAt)
  return dataAt + data.byteLength
}

export function readRecord(payload: Buffer, position: number): RecoveredRecord {
  const keyEnd = FIXED_BYTES + payload.readUInt16LE(0)
  const hashKeyEnd = keyEnd + payload[2]!
  return {
    partitionKey: payload.toString('utf8', FIXED_BYTES, keyEnd),
    explicitHashKey: hashKeyEnd === keyEnd ? undefined : payload.toString('latin1', keyEnd, hashKeyEnd),
    // A copy: a view would keep the whole segment in memory for as long as one record of it is on its way.
    data: Buffer.from(payload.subarray(hashKeyEnd)),
    position,
    appendedAtMs: payload.readDoubleLE(3),
  }
}
