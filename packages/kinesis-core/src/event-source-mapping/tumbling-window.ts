import { lambdaQuotas } from '../quotas.js'

export type WindowState = Record<string, unknown>

/** What an invocation is told of its window. */
export interface WindowInvocation {
  startMs: number
  endMs: number
  state: WindowState
  isFinalInvokeForWindow: boolean
  isWindowTerminatedEarly: boolean
}

/**
 * The one window of a shard that is open, and the state that its invocations hand on (developer guide, "Implementing stateful
 * Kinesis Data Streams processing in Lambda"). Windows are cut by arrival time and follow one another; one that ended early
 * because its state grew too large is opened again with fresh state by its next record.
 */
export class TumblingWindow {
  #lengthMs: number
  #current: { startMs: number; state: WindowState; stateBytes: number } | undefined
  /** No record goes into a window before this one: arrival times are approximate and may step back. */
  #earliestStartMs = Number.NEGATIVE_INFINITY

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs
  }

  get isOpen(): boolean {
    return this.#current !== undefined
  }

  get endMs(): number | undefined {
    return this.#current === undefined ? undefined : this.#current.startMs + this.#lengthMs
  }

  get stateBytes(): number {
    return this.#current?.stateBytes ?? 0
  }

  get stateIsTooLarge(): boolean {
    return this.stateBytes > lambdaQuotas.maxWindowStateBytes
  }

  /** The start of the window that a record with this arrival time belongs to. */
  startOf(arrivalMs: number): number {
    return Math.max(Math.floor(arrivalMs / this.#lengthMs) * this.#lengthMs, this.#earliestStartMs)
  }

  /** Whether a record with this arrival time can only come after the window that is open. */
  isBeyond(arrivalMs: number): boolean {
    return this.#current !== undefined && this.startOf(arrivalMs) > this.#current.startMs
  }

  /** Opens the window of a record, unless it is open. */
  enter(arrivalMs: number): void {
    if (this.#current !== undefined) return
    const startMs = this.startOf(arrivalMs)
    this.#earliestStartMs = startMs
    // The empty state is part of what every payload of a window holds: a record that needs the room has it in a fresh window.
    this.#current = { startMs, state: {}, stateBytes: 0 }
  }

  /** The state that the next invocation gets. */
  update(state: WindowState): void {
    if (this.#current === undefined) return
    this.#current.state = state
    this.#current.stateBytes = Buffer.byteLength(JSON.stringify(state))
  }

  /** A window that was closed for good is not opened again; one that ended early is. */
  close(kind: { early: boolean }): void {
    if (this.#current !== undefined && !kind.early) this.#earliestStartMs = this.endMs!
    this.#current = undefined
  }

  invocation(kind: { final: boolean; early: boolean }): WindowInvocation | undefined {
    if (this.#current === undefined) return undefined
    return {
      startMs: this.#current.startMs,
      endMs: this.#current.startMs + this.#lengthMs,
      state: this.#current.state,
      isFinalInvokeForWindow: kind.final,
      isWindowTerminatedEarly: kind.early,
    }
  }
}

/** The `state` of a response, which every response on a window must have. */
export function windowStateOf(response: unknown): WindowState | undefined {
  if (typeof response !== 'object' || response === null) return undefined
  const state = (response as { state?: unknown }).state
  return typeof state === 'object' && state !== null && !Array.isArray(state)
    ? (state as WindowState)
    : undefined
}
