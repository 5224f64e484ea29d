import type { Random } from '@org/kinesis-core'
import { type LocalService, ServiceError } from '../service.js'
import { miscount, putPartially } from '../wire/put-partially.js'
import type { ServiceName } from '../wire/request-observer.js'
import { refuseSkewed } from './clock-skew.js'
import type { FaultAction, FaultPlan } from './fault-action.js'

/** A service as clients reach it, over the wire or in a simulation. */
export interface FaultTarget {
  name: ServiceName
  service: LocalService
  /** What the service says when a caller is too fast. */
  throttlingCode: string
}

type ReadInput = () => Record<string, unknown>

/** Numbers the calls of each service, and asks the plan what goes wrong with each. */
export function drawFaults(faults: FaultPlan | undefined) {
  const calls = new Map<ServiceName, number>()
  return ({ name: service, service: called }: FaultTarget, operation: string, read: ReadInput) => {
    const number = (calls.get(service) ?? 0) + 1
    calls.set(service, number)
    const shardIds = () => shardsOf(called, operation, read)
    return { number, fault: faults?.({ service, operation, number, shardIds }) }
  }
}

function shardsOf(service: LocalService, operation: string, read: ReadInput): readonly string[] {
  try {
    return service.shardsOf?.(operation, read()) ?? []
  } catch {
    return []
  }
}

/** Does a call, or fails in its place as the fault says. What harms the answer alone is left to whoever carries it. */
export async function callWithFault(
  { service, throttlingCode }: FaultTarget,
  operation: string,
  read: ReadInput,
  {
    fault,
    amzDate,
    blobs,
    random,
    gone,
  }: {
    fault: FaultAction | undefined
    amzDate: string | undefined
    blobs: 'bytes' | 'base64'
    random: Random
    /** Aborts when nobody waits for the answer any more. */
    gone?: AbortSignal
  },
): Promise<unknown> {
  if (fault?.kind === 'throttle' && fault.shardIds === undefined)
    throw new ServiceError(throttlingCode, 'Rate exceeded (injected).')
  // Kinesis answers this with 400, whatever the page of the errors that all services share says.
  if (fault?.kind === 'expired-credentials')
    throw new ServiceError('ExpiredTokenException', 'The security token included in the request is expired')
  // Signing goes by the machine's clock, so that of the service does here as well.
  if (fault?.kind === 'clock-skew') refuseSkewed(amzDate, Date.now() + fault.skewMs)
  if (fault?.kind === 'error500') throw new ServiceError('InternalFailure', 'Injected.', 500)
  const input = read()
  const call = (callInput: Record<string, unknown>) =>
    service.callForWire === undefined || blobs === 'bytes'
      ? service.call(operation, callInput, gone)
      : service.callForWire(operation, callInput)
  if (fault?.kind === 'throttle') {
    const { shardIds = [] } = fault
    const shardOf = (callInput: Record<string, unknown>) =>
      shardsOf(service, operation, () => callInput).find((shardId) => shardIds.includes(shardId))
    return throttleShards(operation, input, shardOf, throttlingCode, call)
  }
  if (operation !== 'PutRecords') return call(input)
  if (fault?.kind === 'wrong-entry-count') return miscount(await call(input), fault.change, random)
  if (fault?.kind !== 'partial') return call(input)
  return putPartially(input, call, () =>
    random() < fault.fraction
      ? { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure (injected).' }
      : undefined,
  )
}

/** `shardOf` tells which of the throttled shards a call is about, if any. */
function throttleShards(
  operation: string,
  input: Record<string, unknown>,
  shardOf: (input: Record<string, unknown>) => string | undefined,
  ErrorCode: string,
  call: (input: Record<string, unknown>) => unknown,
): unknown {
  const message = (shardId: string) => `Rate exceeded for shard ${shardId} (injected).`
  if (operation === 'PutRecords') {
    return putPartially(input, call, (record) => {
      const shardId = shardOf({ ...input, Records: [record] })
      return shardId === undefined ? undefined : { ErrorCode, ErrorMessage: message(shardId) }
    })
  }
  const shardId = shardOf(input)
  if (shardId !== undefined) throw new ServiceError(ErrorCode, message(shardId))
  return call(input)
}
