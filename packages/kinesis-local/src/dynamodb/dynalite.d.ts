/**
 * dynalite ships no types, and its door is an HTTP server that throws what its handlers throw. So its parts are called one by one: the
 * checks of an operation, then the operation on the store. Exactly these parts of dynalite 4 are used.
 */
declare module 'dynalite/db/index.js' {
  export interface Store {
    tableDb: { awsAccountId: string; awsRegion: string }
    db: { close(done: (error?: Error | null) => void): void }
  }
  const db: {
    /** Times are how long tables stay in their transitional states. */
    create(options: { createTableMs: number; deleteTableMs: number; updateTableMs: number }): Store
  }
  export default db
}

declare module 'dynalite/validations/index.js' {
  import type { Store } from 'dynalite/db/index.js'

  const validations: {
    /** Copies what the types know; throws what does not fit. */
    checkTypes(input: unknown, types: unknown): Record<string, unknown>
    checkValidations(input: Record<string, unknown>, types: unknown, custom: unknown, store: Store): void
  }
  export default validations
}
