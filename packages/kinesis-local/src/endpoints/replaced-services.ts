import { sleep, systemClock } from '@org/kinesis-core'
import { type LocalService, ServiceError } from '../service.js'
import type { LocalEndpoints } from './endpoint-options.js'
import { remoteQueryService, remoteService } from './remote-service.js'

export interface ReplacedServices {
  kinesis?: LocalService
  dynamodb?: LocalService
  sqs?: LocalService
  sns?: LocalService
}

/** Those that our own parts call: readers, failure destinations, topics. */
export function replacedServices(endpoints: LocalEndpoints, region: string): ReplacedServices {
  const { kinesis, dynamodb, sqs, sns } = endpoints
  const target = (endpoint: string, signingName: string, targetPrefix: string) => ({
    endpoint,
    region,
    signingName,
    targetPrefix,
  })
  return {
    ...(kinesis === undefined
      ? {}
      : {
          kinesis: remoteService({
            ...target(kinesis, 'kinesis', 'Kinesis_20131202'),
            version: '1.1',
            blobs: ['Data'],
          }),
        }),
    ...(dynamodb === undefined
      ? {}
      : {
          dynamodb: remoteService({ ...target(dynamodb, 'dynamodb', 'DynamoDB_20120810'), version: '1.0' }),
        }),
    ...(sqs === undefined
      ? {}
      : { sqs: remoteService({ ...target(sqs, 'sqs', 'AmazonSQS'), version: '1.0' }) }),
    ...(sns === undefined
      ? {}
      : { sns: remoteQueryService({ ...target(sns, 'sns', 'AmazonSNS'), version: '2010-03-31' }) }),
  }
}

const READY_TIMEOUT_MS = 60_000

/** Creates what another emulator may hold from a run before, and waits until it can be used. */
export async function createRemotely(
  service: LocalService,
  create: { operation: string; input: Record<string, unknown> },
  describe: {
    operation: string
    input: Record<string, unknown>
    status: (output: unknown) => string | undefined
  },
): Promise<void> {
  try {
    await service.call(create.operation, create.input)
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'ResourceInUseException') throw error
  }
  const untilMs = Date.now() + READY_TIMEOUT_MS
  while (Date.now() < untilMs) {
    if (describe.status(await service.call(describe.operation, describe.input)) === 'ACTIVE') return
    await sleep(systemClock, 100)
  }
  throw new ServiceError('ServiceUnavailable', `It is not ACTIVE after ${READY_TIMEOUT_MS} ms.`, 503)
}
