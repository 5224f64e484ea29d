import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'
import { MAX_TIMER_MS } from './producer-options.js'
import type { CloseOptions, CloseResult, UndeliveredRecord } from './producer-report.js'

/** What can be closed: a `KinesisProducer`. */
export interface Closable {
  close(options: CloseOptions): Promise<CloseResult>
}

export interface CloseOnSignalOptions {
  /** @default ['SIGTERM', 'SIGINT'] */
  signals?: readonly NodeJS.Signals[]
  /**
   * Records that have not settled by then are given up, in milliseconds. Whoever sends the signal has patience for a while (Docker 10 s,
   * Kubernetes and ECS 30 s, Lambda with an extension 2 s): stay below it. @default 5_000
   */
  deadlineMs?: number
  /** Told of what was given up, an empty list included, and awaited: the last chance to keep it elsewhere. */
  onClosed?: (undelivered: readonly UndeliveredRecord[]) => unknown
}

const KNOWN = ['signals', 'deadlineMs', 'onClosed'] as const satisfies (keyof CloseOnSignalOptions)[]
const DEFAULT_DEADLINE_MS = 5_000

/**
 * Closes producers when the process is told to end, and lets the process end by the signal then. A second signal ends it at once. Where the
 * application listens for the signal as well, the process is the application's to end. Returns what undoes it.
 *
 * @throws InvalidOptionError for a deadline that is no time, and for unknown options
 */
export function closeOnSignal(
  producers: Closable | readonly Closable[],
  options: CloseOnSignalOptions = {},
): () => void {
  refuseUnknownOptions(options, KNOWN)
  const { signals = ['SIGTERM', 'SIGINT'], deadlineMs = DEFAULT_DEADLINE_MS, onClosed } = options
  if (!(deadlineMs >= 0 && deadlineMs <= MAX_TIMER_MS)) {
    throw new InvalidOptionError('deadlineMs', deadlineMs, `Use 0 to ${MAX_TIMER_MS}.`)
  }
  const all: readonly Closable[] = 'close' in producers ? [producers] : producers
  const stop = () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  const onSignal = (signal: NodeJS.Signals) => {
    stop()
    const isOurs = process.listenerCount(signal) === 0
    void closeAll(all, deadlineMs, onClosed).then(() => {
      if (isOurs) process.kill(process.pid, signal)
    })
  }
  for (const signal of signals) process.on(signal, onSignal)
  return stop
}

async function closeAll(
  producers: readonly Closable[],
  deadlineMs: number,
  onClosed: CloseOnSignalOptions['onClosed'],
): Promise<void> {
  try {
    const closed = await Promise.all(producers.map((producer) => producer.close({ deadlineMs })))
    await onClosed?.(closed.flatMap(({ undelivered }) => undelivered))
  } catch (error) {
    // The process is to end all the same.
    process.emitWarning(error instanceof Error ? error : String(error), { code: 'KINESIS_PRODUCER_CLOSE' })
  }
}
