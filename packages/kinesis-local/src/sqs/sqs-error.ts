import { ServiceError } from '../service.js'

/** The older query protocol's codes, which SDKs still read from `x-amzn-query-error` (SQS's JSON protocol, AWS SDK models). */
const QUERY_CODES: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
}

export function sqsError(code: string, message: string, statusCode = 400): ServiceError {
  return new ServiceError(code, message, statusCode, {
    'x-amzn-query-error': `${QUERY_CODES[code] ?? code};Sender`,
  })
}
