import { decodeAggregate } from '@org/kinesis-core'
import type { FaultAction } from '@org/kinesis-local'
import { numberOf } from './record-data.ts'

/** A call as it was made, with its bodies: they are read only where a seed fails. */
export interface LoggedRequest {
  operation: string
  number: number
  /** Since the run began. */
  atMs: number
  endedAtMs?: number
  fault?: FaultAction | undefined
  statusCode?: number
  /** Why there is no answer. */
  failure?: string
  requestBody: Uint8Array | string
  responseBody?: Uint8Array | undefined
}

/** The requests that carried a put, one a line, with what became of it in each. */
export function requestsOf(putNumber: number, log: readonly LoggedRequest[]): string[] {
  return log.flatMap((request) => {
    if (request.operation !== 'PutRecords') return []
    const entries = parse(request.requestBody)?.Records
    const index = entries?.findIndex(({ Data }) => Data !== undefined && numbersIn(Data).includes(putNumber))
    if (entries === undefined || index === undefined || index < 0) return []
    return [`${describe(request)}; entry ${index + 1} of ${entries.length}: ${resultOf(request, index)}`]
  })
}

export function describe({
  operation,
  number,
  atMs,
  endedAtMs,
  fault,
  statusCode,
  failure,
}: LoggedRequest): string {
  const { kind, ...size } = fault ?? { kind: undefined }
  const harmed =
    kind === undefined ? '' : `, ${kind}${Object.keys(size).length > 0 ? ` ${JSON.stringify(size)}` : ''}`
  const ended =
    endedAtMs === undefined ? 'no answer' : `${failure ?? `HTTP ${statusCode}`} at ${endedAtMs.toFixed(0)}`
  return `#${number} ${operation} at ${atMs.toFixed(0)} ms${harmed}, ${ended}`
}

interface PutRecordsBody {
  __type?: string
  Records?: {
    Data?: string
    ShardId?: string
    SequenceNumber?: string
    ErrorCode?: string
  }[]
}

function resultOf({ responseBody }: LoggedRequest, index: number): string {
  const answer = responseBody === undefined ? undefined : parse(responseBody)
  const result = answer?.Records?.[index]
  if (result === undefined) return answer?.__type ?? 'no result'
  return result.ErrorCode ?? `${result.ShardId}/${result.SequenceNumber}`
}

/** Undefined where a fault has cut it, or it is an error. */
function parse(body: Uint8Array | string): PutRecordsBody | undefined {
  try {
    return JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as PutRecordsBody
  } catch {
    return undefined
  }
}

function numbersIn(data: string): (number | undefined)[] {
  const bytes = Buffer.from(data, 'base64')
  const decoded = decodeAggregate(bytes)
  return decoded.kind === 'aggregated'
    ? decoded.records.map((member) => numberOf(member.data))
    : [numberOf(bytes)]
}
