import { ServiceError } from '../service.js'

export function invalidParameter(message: string): ServiceError {
  return new ServiceError('InvalidParameter', `Invalid parameter: ${message}`)
}

export function notFound(what: 'Topic' | 'Subscription'): ServiceError {
  return new ServiceError('NotFound', `${what} does not exist`, 404)
}
