import { kinesisQuotas, parseHashKey } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { constraint, matched, missing, wrongType } from './request.js'

/** A record as a put brings it, checked. */
export interface IncomingRecord {
  partitionKey: string
  /** Of the partition key in UTF-8. */
  keyBytes: number
  explicitHashKey: bigint | undefined
  data: Uint8Array
  /** Of data and partition key, which is what limits count. */
  bytes: number
}

/** What a stream asks of its records. */
interface RecordRules {
  readonly maxRecordBytes: number
  /** With AUTO the key may be missing. */
  readonly distribution: 'AUTO' | 'USER_PARTITION_KEY'
}

/**
 * Checks a record before anything of its request is stored. Data is base64 text on the wire and bytes in process. `path` is where the
 * record stands in the request, for messages; it is asked for only when there is one, since this runs for every record.
 */
export function readRecord(input: unknown, rules: RecordRules, path: () => string): IncomingRecord {
  if (typeof input !== 'object' || input === null) throw wrongType(`${path()}record`, input, 'Structure')
  const { PartitionKey, ExplicitHashKey: hashKey, Data } = input as Record<string, unknown>
  const partitionKey = PartitionKey ?? (rules.distribution === 'AUTO' ? 'AUTO' : undefined)
  if (partitionKey === undefined) throw missing(`${path()}partitionKey`)
  if (typeof partitionKey !== 'string') throw wrongType('PartitionKey', partitionKey, 'String')
  // Most keys are short; only a long one may hold fewer characters than UTF-16 units.
  if (partitionKey.length === 0 || partitionKey.length > kinesisQuotas.maxPartitionKeyLength) {
    checkKeyLength(partitionKey, path)
  }
  const data = readData(Data, path)
  const keyBytes = Buffer.byteLength(partitionKey)
  const bytes = keyBytes + data.length
  if (bytes > rules.maxRecordBytes) {
    throw constraint(
      `${path()}data`,
      `'java.nio.HeapByteBuffer[pos=0 lim=${data.length} cap=${data.length}]'`,
      `Member must have length less than or equal to ${rules.maxRecordBytes}`,
    )
  }
  return {
    partitionKey,
    keyBytes,
    explicitHashKey: hashKey === undefined || hashKey === null ? undefined : readHashKey(hashKey),
    data,
    bytes,
  }
}

function checkKeyLength(partitionKey: string, path: () => string): void {
  const characters = [...partitionKey].length
  const most = kinesisQuotas.maxPartitionKeyLength
  if (characters >= 1 && characters <= most) return
  const rule = characters === 0 ? 'greater than or equal to 1' : `less than or equal to ${most}`
  throw constraint(
    `${path()}partitionKey`,
    `'${partitionKey.slice(0, 300)}'`,
    `Member must have length ${rule}`,
  )
}

function readData(value: unknown, path: () => string): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (value === undefined || value === null) throw missing(`${path()}data`)
  if (typeof value !== 'string') throw wrongType('Data', value, 'Blob')
  const data = Buffer.from(value, 'base64')
  // Node skips what is no base64, so text that is none has fewer bytes than its length tells.
  const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
  if (value.length % 4 !== 0 || data.length !== (value.length / 4) * 3 - padding) {
    throw new ServiceError('SerializationException', 'Data: the value is not Base64 encoded')
  }
  return data
}

function readHashKey(value: unknown): bigint {
  if (typeof value !== 'string') throw wrongType('ExplicitHashKey', value, 'String')
  const hashKey = parseHashKey(matched('ExplicitHashKey', value, /^(0|([1-9]\d{0,38}))$/))
  if (hashKey === undefined) {
    throw new ServiceError(
      'InvalidArgumentException',
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${value.slice(0, 60)}`,
    )
  }
  return hashKey
}
