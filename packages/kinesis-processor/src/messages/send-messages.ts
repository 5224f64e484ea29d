import { unstorable } from '../errors.js'
import { planRequests } from '../requests/request-plan.js'
import { type RequestTime, withinTime } from '../requests/request-timeout.js'
import { sendRequests } from '../requests/send-requests.js'
import { outOfTime, type SinkContext, type SinkResult } from '../sink.js'
import type { PlannedMessage } from './planned-message.js'

/** A queue or a topic. */
export interface MessageTarget extends RequestTime {
  isFifo: boolean
  /** Requests at once. */
  maxConcurrency: number
  maxBatchEntries: number
  /** Of one message, and of all in a request. */
  maxMessageBytes: number
  /** Sends messages, each under its place as its ID. */
  sendBatch(messages: readonly PlannedMessage[], abortSignal: AbortSignal): Promise<BatchAnswer>
}

interface BatchAnswer {
  Successful?: { Id?: string | undefined }[] | undefined
  Failed?: { Id?: string | undefined; Code?: string | undefined; Message?: string | undefined }[] | undefined
}

/** Sends messages in as few requests as the limits allow, and enters what became of each. */
export function sendMessages(
  messages: readonly PlannedMessage[],
  target: MessageTarget,
  context: SinkContext,
  results: SinkResult[],
): Promise<void> {
  const { isFifo, maxConcurrency, maxBatchEntries, maxMessageBytes, what } = target
  const sequences = planRequests(messages, {
    maxSequences: maxConcurrency,
    maxWrites: maxBatchEntries,
    maxBytes: maxMessageBytes,
    // The entries of a request fail one by one, so order needs that the answer for a message is there before the next of its key is sent.
    apart: isFifo ? ({ partitionKey }) => partitionKey : undefined,
  })
  return sendRequests(
    sequences,
    { what, send: (batch) => sendBatch(batch, target, context) },
    context,
    results,
  )
}

async function sendBatch(
  batch: readonly PlannedMessage[],
  target: MessageTarget,
  context: SinkContext,
): Promise<SinkResult[]> {
  try {
    return read(batch, await withinTime(target, context, (signal) => target.sendBatch(batch, signal)))
  } catch (error) {
    if (!isTooLong(error)) return batch.map(() => ({ stored: false, error }))
    if (batch.length === 1) return [refused(target.what, error, error)]
    // The target takes less than the sink was told: one by one, only what is too large fails.
    const results: SinkResult[] = []
    for (const message of batch) {
      const isOver = context.remainingMs() <= 0
      results.push(...(isOver ? [outOfTime()] : await sendBatch([message], target, context)))
    }
    return results
  }

  function read(sent: readonly PlannedMessage[], { Successful = [], Failed = [] }: BatchAnswer) {
    const missing = new Error(`${target.what} gave no answer for the message.`)
    const results: SinkResult[] = sent.map(() => ({ stored: false, error: missing }))
    for (const { Id } of Successful) results[Number(Id)] = { stored: true }
    for (const { Id, Code, Message = 'the message was refused' } of Failed) {
      const error = new Error(`${Code}: ${Message}`)
      results[Number(Id)] = isAboutTheMessage(Code, Message)
        ? refused(target.what, Message, error)
        : { stored: false, error }
    }
    return results
  }
}

function refused(what: string, reason: unknown, cause: unknown): SinkResult {
  const message = reason instanceof Error ? reason.message : String(reason)
  return { stored: false, error: unstorable(`${what} refuses the message: ${message}`, cause) }
}

function isTooLong(error: unknown): boolean {
  return error instanceof Error && /BatchRequestTooLong/.test(error.name)
}

/**
 * Codes do not tell: `InvalidParameterValue` is a message above the queue's own limit, and a queue without a setting as well. Only what is
 * surely the message's own fault rejects it; `SenderFault` is set for a missing permission, too.
 */
function isAboutTheMessage(code: string | undefined, message: string): boolean {
  return code === 'InvalidMessageContents' || /must be shorter than|message too long/i.test(message)
}
