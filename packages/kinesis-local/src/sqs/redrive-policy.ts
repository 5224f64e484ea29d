import { sqsError } from './sqs-error.js'

/** After how many receives a message goes where. */
export interface RedrivePolicy {
  deadLetterTargetArn: string
  maxReceiveCount: number
}

/** Reads the attribute, which is JSON in text (API reference, CreateQueue). */
export function readRedrivePolicy(
  value: unknown,
  isQueue: (arn: string) => boolean,
): RedrivePolicy | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const { deadLetterTargetArn, maxReceiveCount } = parse(value)
  const most = typeof maxReceiveCount === 'string' ? Number(maxReceiveCount) : maxReceiveCount
  if (typeof most !== 'number' || !Number.isInteger(most) || most < 1 || most > 1_000) {
    throw invalid('maxReceiveCount must be a whole number from 1 to 1000.')
  }
  if (typeof deadLetterTargetArn !== 'string' || !isQueue(deadLetterTargetArn)) {
    throw invalid('Dead letter target does not exist.')
  }
  return { deadLetterTargetArn, maxReceiveCount: most }
}

function parse(value: unknown): Record<string, unknown> {
  try {
    const policy: unknown = typeof value === 'string' ? JSON.parse(value) : undefined
    if (typeof policy === 'object' && policy !== null) return policy as Record<string, unknown>
  } catch {}
  throw invalid('It must be JSON with deadLetterTargetArn and maxReceiveCount.')
}

function invalid(reason: string) {
  return sqsError('InvalidParameterValue', `Value for parameter RedrivePolicy is invalid. Reason: ${reason}`)
}
