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
    /** In bytes. */
    itemSize(item: object): number
    /** These three give what is wrong, as an error with the body of the answer. */
    validateItem(item: object, table: object): Error | null | undefined
    validateKey(key: object, table: object): Error | null | undefined
    checkConditional(input: object, existing: object | undefined): Error | null | undefined
    /** A number as text that sorts as it does; equal numbers give equal text. */
    toLexiStr(value: unknown, type: string): string
  }
  export default db
}

declare module 'dynalite/validations/index.js' {
  import type { Store } from 'dynalite/db/index.js'

  const validations: {
    /** Copies what the types know; throws what does not fit. */
    checkTypes(input: unknown, types: unknown): Record<string, unknown>
    checkValidations(input: Record<string, unknown>, types: unknown, custom: unknown, store: Store): void
    /** These two give what is wrong, in words; the second leaves what it parsed in the input. */
    validateAttributeValue(value: object): string | undefined
    validateExpressions(input: object): string | undefined
  }
  export default validations
}
