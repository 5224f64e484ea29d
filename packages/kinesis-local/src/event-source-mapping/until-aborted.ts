/** Resolves with `promise`, or when `signal` aborts: waiting that was cut short is no failure. */
export function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => resolve()
    promise.then(finish, reject).finally(() => signal.removeEventListener('abort', finish))
    if (signal.aborted) finish()
    else signal.addEventListener('abort', finish, { once: true })
  })
}
