/** Resolves with `promise`, or when `signal` aborts: waiting that was cut short is no failure. */
export function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => resolve()
    if (signal.aborted) return finish()
    signal.addEventListener('abort', finish, { once: true })
    promise.then(finish, reject).finally(() => signal.removeEventListener('abort', finish))
  })
}
