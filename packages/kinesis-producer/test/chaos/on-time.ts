import { type Clock, sleep } from '@org/kinesis-core'

/** Does what is planned, each when it is time since now, until it is told to stop. */
export async function onTime<T extends { atMs: number }>(
  plan: readonly T[],
  { clock, signal }: { clock: Clock; signal: AbortSignal },
  act: (planned: T) => void,
): Promise<void> {
  const startMs = clock.now()
  for (const planned of plan) {
    await sleep(clock, Math.max(0, startMs + planned.atMs - clock.now()), signal)
    if (signal.aborted) return
    act(planned)
  }
}
