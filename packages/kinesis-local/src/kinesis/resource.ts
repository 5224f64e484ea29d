import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import type { Request } from './request.js'
import { consumerWithArn } from './stream-consumer.js'

/** What a stream and a consumer have in common: tags and a policy. */
export interface Resource {
  readonly arn: string
  readonly tags: Map<string, string>
  policy: string | undefined
}

/** The stream or consumer that `ResourceARN` names. */
export function resourceOf(context: KinesisContext, request: Request): Resource {
  const arn = request.string('ResourceARN')
  return arn.includes('/consumer/') ? consumerWithArn(context, arn).consumer : context.streams.withArn(arn)
}

/** A policy is kept and given back; nobody is refused because of it. */
export function putResourcePolicy(context: KinesisContext, request: Request): undefined {
  const resource = resourceOf(context, request)
  const policy = request.string('Policy')
  if (!isJsonObject(policy)) {
    throw new ServiceError('InvalidArgumentException', 'The policy is no JSON object.')
  }
  resource.policy = policy
}

export function getResourcePolicy(context: KinesisContext, request: Request): unknown {
  return { Policy: resourceOf(context, request).policy ?? '{}' }
}

export function deleteResourcePolicy(context: KinesisContext, request: Request): undefined {
  const resource = resourceOf(context, request)
  if (resource.policy === undefined) {
    throw new ServiceError(
      'ResourceNotFoundException',
      `No resource policy found for resource ARN ${resource.arn}.`,
    )
  }
  resource.policy = undefined
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
