/** What a first, and a second, Ctrl-C or SIGTERM does. */
export interface InterruptionHandlers {
  first: () => void
  second: () => void
}

export function onInterruption(handlers: InterruptionHandlers): void {
  let isInterrupted = false
  const onSignal = () => {
    if (isInterrupted) return handlers.second()
    isInterrupted = true
    handlers.first()
  }
  // Not SIGHUP: who starts it with nohup wants that ignored.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
}
