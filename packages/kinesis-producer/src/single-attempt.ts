import type { PutRecordsCommand } from '@aws-sdk/client-kinesis'

/**
 * What the SDK's retry loop sees in place of the real error. It has nothing by which the loop recognises a fault worth retrying, and
 * for that reason no `cause` either, which the loop would follow.
 */
class AttemptFailed extends Error {
  constructor(readonly original: unknown) {
    super('The attempt failed; the producer decides about the next one.')
  }
}

/**
 * Makes one command one attempt, whatever retry strategy its client was built with: two places that retry would multiply attempts,
 * and the SDK would resend entries in the middle of what the producer holds for one ordered attempt.
 */
export function singleAttempt(command: PutRecordsCommand): void {
  command.middlewareStack.addRelativeTo(
    <Args, Result>(next: (args: Args) => Promise<Result>) =>
      async (args: Args): Promise<Result> => {
        try {
          return await next(args)
        } catch (error) {
          throw new AttemptFailed(error)
        }
      },
    { name: 'singleAttempt', relation: 'after', toMiddleware: 'retryMiddleware' },
  )
}

/** The error that `singleAttempt` hid from the SDK. */
export function unwrapSingleAttempt(error: unknown): unknown {
  return error instanceof AttemptFailed ? error.original : error
}
