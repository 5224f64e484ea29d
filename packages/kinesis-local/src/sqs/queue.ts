import { createHash, randomUUID } from 'node:crypto'

export interface QueuedMessage {
  messageId: string
  body: string
  attributes: unknown
  sentAtMs: number
  visibleAtMs: number
  receiveCount: number
  firstReceivedAtMs: number | undefined
  receiptHandle: string | undefined
}

/** One standard queue: messages in the order of sending, each hidden for a while once it was received. */
export class Queue {
  readonly #messages = new Map<string, QueuedMessage>()

  constructor(
    readonly name: string,
    readonly url: string,
    readonly arn: string,
    readonly visibilityTimeoutMs: number,
    readonly createdAtMs: number,
  ) {}

  send(body: string, attributes: unknown, nowMs: number, delayMs: number): QueuedMessage {
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
    this.#messages.set(message.messageId, message)
    return message
  }

  receive(most: number, visibilityTimeoutMs: number, nowMs: number): QueuedMessage[] {
    const received: QueuedMessage[] = []
    for (const message of this.#messages.values()) {
      if (received.length === most) break
      if (message.visibleAtMs > nowMs) continue
      message.visibleAtMs = nowMs + visibilityTimeoutMs
      message.receiveCount += 1
      message.firstReceivedAtMs ??= nowMs
      message.receiptHandle = Buffer.from(`${message.messageId}/${message.receiveCount}`).toString('base64')
      received.push(message)
    }
    return received
  }

  /** False where the handle is none; deleting twice is no error, as in the service. */
  delete(receiptHandle: string): boolean {
    const [messageId, receiveCount] = Buffer.from(receiptHandle, 'base64').toString('utf8').split('/')
    if (messageId === undefined || receiveCount === undefined) return false
    this.#messages.delete(messageId)
    return true
  }

  purge(): void {
    this.#messages.clear()
  }

  /** All of them, hidden ones too. */
  get messages(): readonly QueuedMessage[] {
    return [...this.#messages.values()]
  }

  count(nowMs: number): { visible: number; hidden: number } {
    let hidden = 0
    for (const { visibleAtMs } of this.#messages.values()) if (visibleAtMs > nowMs) hidden += 1
    return { visible: this.#messages.size - hidden, hidden }
  }
}

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
