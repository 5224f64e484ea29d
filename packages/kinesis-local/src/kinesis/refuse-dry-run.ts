import { ServiceError } from '../service.js'
import type { Request } from './request.js'

/** `DryRun` checks whether a request would succeed: what passes all checks ends with this error, and nothing is done (API reference). */
export function refuseDryRun(request: Request): void {
  if (request.optionalBoolean('DryRun') !== true) return
  throw new ServiceError(
    'DryRunOperationException',
    'The request was rejected because the DryRun parameter was specified.',
  )
}
