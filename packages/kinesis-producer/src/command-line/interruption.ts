/** What a first, and a second, Ctrl-C or SIGTERM does. */
export interface InterruptionHandlers {
  first: () => void
  second: () => void
}

/** Listens for signals until it is disposed. */
export function onInterruption(handlers: InterruptionHandlers): Disposable {
  let isInterrupted = false
  const onSignal = () => {
    if (isInterrupted) return handlers.second()
    isInterrupted = true
    handlers.first()
  }
  // Not SIGHUP: who starts it with nohup wants that ignored.
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, onSignal)
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, onSignal)
    },
  }
}
