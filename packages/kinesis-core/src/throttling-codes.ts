/**
 * The error codes by which a service asks for fewer calls. Sources: AWS SDKs and Tools reference guide, "Retry behavior" (throttling
 * errors), which the SDKs share; and what it lacks: `KMSThrottlingException` (Kinesis API reference, PutRecords) and `LimitExceededFault`
 * (CloudWatch API reference).
 */
const THROTTLING_CODES = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'KMSThrottlingException',
  'LimitExceededException',
  'LimitExceededFault',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
])

/** True for the code of an error, or of one entry of an answer, that will go away when less is asked for. */
export function isThrottlingCode(code: string): boolean {
  return THROTTLING_CODES.has(code)
}
