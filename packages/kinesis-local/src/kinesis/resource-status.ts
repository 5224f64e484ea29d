export type Transition = 'CREATING' | 'UPDATING' | 'DELETING'

/** The status of a stream or consumer: changes are done at once, and take their time only in what is said of them. */
export class ResourceStatus {
  #transition: Transition = 'CREATING'
  #untilMs: number

  constructor(nowMs: number, creatingMs: number) {
    this.#untilMs = endOf(nowMs, creatingMs)
  }

  begin(transition: Transition, nowMs: number, forMs: number): void {
    this.#transition = transition
    this.#untilMs = endOf(nowMs, forMs)
  }

  get state(): { transition: Transition; untilMs: number } {
    return { transition: this.#transition, untilMs: this.#untilMs }
  }

  restore({ transition, untilMs }: { transition: Transition; untilMs: number }): void {
    this.#transition = transition
    this.#untilMs = untilMs
  }

  /** Nothing runs when a transition is over: the status is worked out when it is asked for. */
  at(nowMs: number): Transition | 'ACTIVE' | 'DELETED' {
    if (nowMs < this.#untilMs) return this.#transition
    return this.#transition === 'DELETING' ? 'DELETED' : 'ACTIVE'
  }
}

/** What takes no time is over, also for a clock that is set back afterwards. */
function endOf(nowMs: number, forMs: number): number {
  return forMs === 0 ? 0 : nowMs + forMs
}
