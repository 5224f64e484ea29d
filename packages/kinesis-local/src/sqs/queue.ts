import { randomUUID } from 'node:crypto'
import type { MessageAttributes } from './message-attributes.js'
import type { RedrivePolicy } from './redrive-policy.js'

export interface QueuedMessage {
  messageId: string
  body: string
  attributes: MessageAttributes
  sentAtMs: number
  visibleAtMs: number
  receiveCount: number
  firstReceivedAtMs: number | undefined
  receiptHandle: string | undefined
}

/** One standard queue: messages in the order of sending, each hidden for a while once it was received. */
export class Queue {
  readonly #messages = new Map<string, QueuedMessage>()
  readonly #waiting = new Set<() => void>()

  constructor(
    readonly name: string,
    readonly url: string,
    readonly arn: string,
    readonly visibilityTimeoutMs: number,
    readonly createdAtMs: number,
    readonly redrive: RedrivePolicy | undefined,
    private readonly queueOf: (arn: string) => Queue | undefined,
  ) {}

  send(body: string, attributes: MessageAttributes, nowMs: number, delayMs: number): QueuedMessage {
    const message: QueuedMessage = {
      messageId: randomUUID(),
      body,
      attributes,
      sentAtMs: nowMs,
      visibleAtMs: nowMs + delayMs,
      receiveCount: 0,
      firstReceivedAtMs: undefined,
      receiptHandle: undefined,
    }
    this.#take(message)
    return message
  }

  receive(most: number, visibilityTimeoutMs: number, nowMs: number): QueuedMessage[] {
    const received: QueuedMessage[] = []
    for (const message of this.#messages.values()) {
      if (received.length === most) break
      if (message.visibleAtMs > nowMs || this.#isDead(message)) continue
      message.visibleAtMs = nowMs + visibilityTimeoutMs
      message.receiveCount += 1
      message.firstReceivedAtMs ??= nowMs
      message.receiptHandle = Buffer.from(`${message.messageId}/${message.receiveCount}`).toString('base64')
      received.push(message)
    }
    return received
  }

  /** A message that was received as often as it may be goes to the dead-letter queue in place of one more time; true where it went. */
  #isDead(message: QueuedMessage): boolean {
    if (this.redrive === undefined || message.receiveCount < this.redrive.maxReceiveCount) return false
    const deadLetters = this.queueOf(this.redrive.deadLetterTargetArn)
    if (deadLetters === undefined) return false
    this.#messages.delete(message.messageId)
    deadLetters.#take(message)
    return true
  }

  #take(message: QueuedMessage): void {
    this.#messages.set(message.messageId, message)
    for (const wake of this.#waiting) wake()
  }

  /** Calls `wake` when a message may have become visible, until the function returned is called. */
  onChange(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => this.#waiting.delete(wake)
  }

  /** When the next hidden message becomes visible, where there is one. */
  get nextVisibleAtMs(): number | undefined {
    let next: number | undefined
    for (const { visibleAtMs } of this.#messages.values()) {
      if (next === undefined || visibleAtMs < next) next = visibleAtMs
    }
    return next
  }

  /** False where the handle is none; deleting twice is no error, as in the service. */
  delete(receiptHandle: string): boolean {
    const messageId = messageIdOf(receiptHandle)
    if (messageId === undefined) return false
    this.#messages.delete(messageId)
    return true
  }

  /** Hides a received message for so long from now on, or for no longer. */
  changeVisibility(
    receiptHandle: string,
    visibilityTimeoutMs: number,
    nowMs: number,
  ): 'changed' | 'no handle' | 'gone' | 'not in flight' {
    const messageId = messageIdOf(receiptHandle)
    if (messageId === undefined) return 'no handle'
    const message = this.#messages.get(messageId)
    if (message === undefined) return 'gone'
    if (message.receiveCount === 0 || message.visibleAtMs <= nowMs) return 'not in flight'
    message.visibleAtMs = nowMs + visibilityTimeoutMs
    for (const wake of this.#waiting) wake()
    return 'changed'
  }

  purge(): void {
    this.#messages.clear()
  }

  /** All of them, hidden ones too. */
  get messages(): readonly QueuedMessage[] {
    return [...this.#messages.values()]
  }

  count(nowMs: number): { visible: number; inFlight: number; delayed: number } {
    const counts = { visible: 0, inFlight: 0, delayed: 0 }
    for (const { visibleAtMs, receiveCount } of this.#messages.values()) {
      if (visibleAtMs <= nowMs) counts.visible += 1
      else if (receiveCount > 0) counts.inFlight += 1
      else counts.delayed += 1
    }
    return counts
  }
}

function messageIdOf(receiptHandle: string): string | undefined {
  const [messageId, receiveCount] = Buffer.from(receiptHandle, 'base64').toString('utf8').split('/')
  return messageId?.length === 36 && receiveCount !== undefined ? messageId : undefined
}
