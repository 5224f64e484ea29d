import db, { type Store } from 'dynalite/db/index.js'
import validations from 'dynalite/validations/index.js'
import { ServiceError } from '../service.js'

const OPERATIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
  'UpdateTable',
] as const

type Action = (store: Store, input: unknown, done: (error: unknown, result?: unknown) => void) => void

interface OperationParts {
  validation: { types: unknown; custom?: unknown }
  action: Action
}

/** dynalite without its HTTP server: what its handlers throw becomes an error of the call, and no longer ends the process. */
export class Dynalite {
  readonly #store: Store
  readonly #parts = new Map<string, Promise<OperationParts>>()

  constructor(region: string, accountId: string) {
    this.#store = db.create({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
    this.#store.tableDb.awsRegion = region
    this.#store.tableDb.awsAccountId = accountId
  }

  async run(operation: string, input: Record<string, unknown>): Promise<unknown> {
    if (!OPERATIONS.includes(operation as (typeof OPERATIONS)[number])) {
      throw new ServiceError('UnknownOperationException', `The operation ${operation} is not supported.`)
    }
    const { validation, action } = await this.#load(operation)
    try {
      const checked = validations.checkTypes(input, validation.types)
      validations.checkValidations(checked, validation.types, validation.custom, this.#store)
      return await new Promise((resolve, reject) => {
        action(this.#store, checked, (error, result) => (error ? reject(error) : resolve(result)))
      })
    } catch (error) {
      throw asServiceError(error)
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#store.db.close(() => resolve())
    })
  }

  #load(operation: string): Promise<OperationParts> {
    const known = this.#parts.get(operation)
    if (known !== undefined) return known
    const file = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}.js`
    const loading = Promise.all([
      import(`dynalite/validations/${file}`) as Promise<{ default: OperationParts['validation'] }>,
      import(`dynalite/actions/${file}`) as Promise<{ default: Action }>,
    ]).then(([validation, action]) => ({ validation: validation.default, action: action.default }))
    this.#parts.set(operation, loading)
    return loading
  }
}

/** dynalite's own errors carry the body of the answer; anything else is a fault inside it. */
function asServiceError(error: unknown): unknown {
  const { statusCode, body } = error as {
    statusCode?: number
    body?: { __type?: string; message?: string; Message?: string }
  }
  if (statusCode === undefined || body === undefined) return error
  const code = body.__type?.split('#').at(-1) ?? 'InternalServerError'
  return new ServiceError(code, body.message ?? body.Message ?? '', statusCode)
}
