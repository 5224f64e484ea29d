import { type Clock, sleep, sqsQuotas } from '@org/kinesis-core'
import { numberOf, textOf } from '../scalar-input.js'
import type { LocalService } from '../service.js'
import { attributesBytes, readAttributes } from './message-attributes.js'
import { describeReceived, describeSent } from './message-shapes.js'
import { Queue, type QueuedMessage } from './queue.js'
import { readRedrivePolicy } from './redrive-policy.js'
import { sqsError } from './sqs-error.js'
import { batchEntries, type SqsInput, seconds, text } from './sqs-input.js'

const MAX_WAIT_SECONDS = 20
const MAX_DELAY_SECONDS = 900
const MAX_VISIBILITY_SECONDS = 43_200
const DEFAULT_VISIBILITY_SECONDS = 30

const NEVER = new AbortController().signal

type Operation = (service: SqsService, input: SqsInput, gone: AbortSignal | undefined) => unknown

/** The part of SQS that sinks, failure destinations and their readers use: standard queues, in memory. */
export class SqsService implements LocalService {
  readonly targetPrefix = 'AmazonSQS'
  readonly #queues = new Map<string, Queue>()
  readonly #closing = new AbortController()

  static readonly #operations: Readonly<Record<string, Operation>> = {
    CreateQueue: (service, input) => service.#create(input),
    DeleteQueue: (service, input) => void service.#queues.delete(service.#at(input).name),
    GetQueueUrl: (service, input) => ({ QueueUrl: service.#named(text(input, 'QueueName')).url }),
    ListQueues: (service, input) => service.#list(input),
    GetQueueAttributes: (service, input) => service.#attributes(service.#at(input)),
    SendMessage: (service, input) => service.#sendOne(service.#at(input), input),
    SendMessageBatch: (service, input) => service.#sendBatch(service.#at(input), input),
    ReceiveMessage: (service, input, gone) => service.#receive(service.#at(input), input, gone),
    DeleteMessage: (service, input) => service.#delete(service.#at(input), text(input, 'ReceiptHandle')),
    DeleteMessageBatch: (service, input) => service.#deleteBatch(service.#at(input), input),
    ChangeMessageVisibility: (service, input) => service.#changeVisibility(service.#at(input), input),
    ChangeMessageVisibilityBatch: (service, input) => service.#changeEach(service.#at(input), input),
    PurgeQueue: (service, input) => service.#at(input).purge(),
  }

  constructor(
    private readonly urlBase: () => string,
    private readonly region: string,
    private readonly accountId: string,
    private readonly clock: Clock,
  ) {}

  queue(name: string): Queue | undefined {
    return this.#queues.get(name)
  }

  get queues(): Iterable<Queue> {
    return this.#queues.values()
  }

  async call(operation: string, input: SqsInput, gone?: AbortSignal): Promise<unknown> {
    const known = Object.hasOwn(SqsService.#operations, operation)
    if (!known) throw sqsError('InvalidAction', `The action ${operation} is not valid for this endpoint.`)
    // Every answer is a JSON object, as clients parse it without asking.
    return (await SqsService.#operations[operation]!(this, input, gone)) ?? {}
  }

  /** Ends the waiting of receivers. */
  close(): void {
    this.#closing.abort()
  }

  #create(input: SqsInput): unknown {
    const name = text(input, 'QueueName')
    if (!/^[\w-]{1,80}$/.test(name)) {
      throw sqsError(
        'InvalidParameterValue',
        'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
      )
    }
    const { VisibilityTimeout, RedrivePolicy, FifoQueue } = (input.Attributes ?? {}) as SqsInput
    if (FifoQueue !== undefined && FifoQueue !== null && textOf(FifoQueue) !== 'false') {
      throw sqsError('InvalidAttributeValue', 'FifoQueue: FIFO queues are not supported here.')
    }
    const queueOf = (arn: string) => [...this.#queues.values()].find((queue) => queue.arn === arn)
    const redrive = readRedrivePolicy(RedrivePolicy, (arn) => queueOf(arn) !== undefined)
    const visibilityMs =
      seconds(VisibilityTimeout, 'VisibilityTimeout', DEFAULT_VISIBILITY_SECONDS, MAX_VISIBILITY_SECONDS) *
      1000
    const known = this.#queues.get(name)
    if (known !== undefined) {
      if (VisibilityTimeout !== undefined && known.visibilityTimeoutMs !== visibilityMs) {
        throw sqsError(
          'QueueNameExists',
          'A queue already exists with the same name and a different value for attribute VisibilityTimeout',
        )
      }
      if (redrive !== undefined && JSON.stringify(redrive) !== JSON.stringify(known.redrive)) {
        throw sqsError(
          'QueueNameExists',
          'A queue already exists with the same name and a different value for attribute RedrivePolicy',
        )
      }
      return { QueueUrl: known.url }
    }
    const queue = new Queue(
      name,
      `${this.urlBase()}/${this.accountId}/${name}`,
      `arn:aws:sqs:${this.region}:${this.accountId}:${name}`,
      visibilityMs,
      this.clock.now(),
      redrive,
      queueOf,
    )
    this.#queues.set(name, queue)
    return { QueueUrl: queue.url }
  }

  #list(input: SqsInput): unknown {
    const prefix = textOf(input.QueueNamePrefix ?? '')
    const queues = [...this.#queues.values()].filter(({ name }) => name.startsWith(prefix))
    return queues.length === 0 ? {} : { QueueUrls: queues.map(({ url }) => url) }
  }

  #attributes(queue: Queue): unknown {
    const { visible, inFlight, delayed } = queue.count(this.clock.now())
    return {
      Attributes: {
        QueueArn: queue.arn,
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesNotVisible: String(inFlight),
        ApproximateNumberOfMessagesDelayed: String(delayed),
        CreatedTimestamp: String(Math.floor(queue.createdAtMs / 1000)),
        VisibilityTimeout: String(queue.visibilityTimeoutMs / 1000),
        MaximumMessageSize: String(sqsQuotas.maxMessageBytes),
        ...(queue.redrive === undefined ? {} : { RedrivePolicy: JSON.stringify(queue.redrive) }),
      },
    }
  }

  #sendOne(queue: Queue, input: SqsInput): unknown {
    return describeSent(this.#send(queue, input))
  }

  #send(queue: Queue, input: SqsInput): QueuedMessage {
    const body = text(input, 'MessageBody')
    const attributes = readAttributes(input.MessageAttributes)
    const reason = refusal(body, attributesBytes(attributes))
    if (reason !== undefined) throw sqsError('InvalidParameterValue', reason)
    const delayMs = seconds(input.DelaySeconds, 'DelaySeconds', 0, MAX_DELAY_SECONDS) * 1000
    return queue.send(body, attributes, this.clock.now(), delayMs)
  }

  #sendBatch(queue: Queue, input: SqsInput): unknown {
    const entries = batchEntries(input)
    const bytes = entries.reduce(
      (sum, entry) =>
        sum +
        Buffer.byteLength(text(entry, 'MessageBody')) +
        attributesBytes(readAttributes(entry.MessageAttributes)),
      0,
    )
    if (bytes > sqsQuotas.maxMessageBytes) {
      throw sqsError(
        'BatchRequestTooLong',
        `Batch requests cannot be longer than ${sqsQuotas.maxMessageBytes} bytes. You have sent ${bytes} bytes.`,
      )
    }
    return eachEntry(entries, (entry) => describeSent(this.#send(queue, entry)))
  }

  async #receive(queue: Queue, input: SqsInput, gone: AbortSignal | undefined): Promise<unknown> {
    const most = numberOf(input.MaxNumberOfMessages ?? 1)
    if (!Number.isInteger(most) || most < 1 || most > sqsQuotas.maxBatchEntries) {
      throw sqsError(
        'InvalidParameterValue',
        `Value ${textOf(input.MaxNumberOfMessages).slice(0, 20)} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.`,
      )
    }
    const own = queue.visibilityTimeoutMs / 1000
    const visibilityMs =
      seconds(input.VisibilityTimeout, 'VisibilityTimeout', own, MAX_VISIBILITY_SECONDS) * 1000
    const waitMs = seconds(input.WaitTimeSeconds, 'WaitTimeSeconds', 0, MAX_WAIT_SECONDS) * 1000
    const messages = await this.#poll(queue, most, visibilityMs, waitMs, gone)
    return messages.length === 0
      ? {}
      : { Messages: messages.map((message) => describeReceived(message, input)) }
  }

  async #poll(
    queue: Queue,
    most: number,
    visibilityMs: number,
    waitMs: number,
    gone: AbortSignal = NEVER,
  ): Promise<QueuedMessage[]> {
    const untilMs = this.clock.now() + waitMs
    // A receiver that has gone would hide what it takes from all others.
    while (!gone.aborted) {
      const nowMs = this.clock.now()
      const messages = queue.receive(most, visibilityMs, nowMs)
      if (messages.length > 0 || nowMs >= untilMs || this.#closing.signal.aborted) return messages
      const wakeAtMs = Math.min(untilMs, queue.nextVisibleAtMs ?? untilMs)
      const changed = new AbortController()
      const stopListening = queue.onChange(() => changed.abort())
      await sleep(this.clock, wakeAtMs - nowMs, AbortSignal.any([changed.signal, this.#closing.signal, gone]))
      stopListening()
    }
    return []
  }

  #delete(queue: Queue, receiptHandle: string): undefined {
    if (!queue.delete(receiptHandle)) throw invalidHandle(receiptHandle)
  }

  #deleteBatch(queue: Queue, input: SqsInput): unknown {
    return eachEntry(batchEntries(input), (entry) => this.#delete(queue, text(entry, 'ReceiptHandle')) ?? {})
  }

  #changeVisibility(queue: Queue, input: SqsInput): undefined {
    const receiptHandle = text(input, 'ReceiptHandle')
    if (input.VisibilityTimeout === undefined || input.VisibilityTimeout === null) {
      throw sqsError('MissingParameter', 'The request must contain the parameter VisibilityTimeout.')
    }
    const timeoutMs = seconds(input.VisibilityTimeout, 'VisibilityTimeout', 0, MAX_VISIBILITY_SECONDS) * 1000
    const outcome = queue.changeVisibility(receiptHandle, timeoutMs, this.clock.now())
    if (outcome === 'no handle') throw invalidHandle(receiptHandle)
    if (outcome === 'not in flight') {
      throw sqsError('MessageNotInflight', 'The message is not available for visibility timeout change.')
    }
    if (outcome === 'gone') {
      throw sqsError(
        'InvalidParameterValue',
        'Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.',
      )
    }
  }

  #changeEach(queue: Queue, input: SqsInput): unknown {
    return eachEntry(batchEntries(input), (entry) => this.#changeVisibility(queue, entry) ?? {})
  }

  #at(input: SqsInput): Queue {
    return this.#named(text(input, 'QueueUrl').split('/').at(-1) ?? '')
  }

  #named(name: string): Queue {
    const queue = this.#queues.get(name)
    if (queue === undefined) throw sqsError('QueueDoesNotExist', 'The specified queue does not exist.')
    return queue
  }
}

function invalidHandle(receiptHandle: string): Error {
  return sqsError(
    'ReceiptHandleIsInvalid',
    `The input receipt handle "${receiptHandle.slice(0, 60)}" is not a valid receipt handle.`,
    404,
  )
}

/** Entries of a batch fail one by one. */
function eachEntry(entries: readonly SqsInput[], run: (entry: SqsInput) => object): unknown {
  const Successful: unknown[] = []
  const Failed: unknown[] = []
  for (const entry of entries) {
    const Id = text(entry, 'Id')
    try {
      Successful.push({ Id, ...run(entry) })
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      if (code === undefined) throw error
      Failed.push({ Id, SenderFault: true, Code: code, Message: message })
    }
  }
  return { Successful, Failed }
}

/** Why a body cannot be taken: its length, or a character that XML 1.0 cannot hold (API reference, SendMessage). */
function refusal(body: string, moreBytes: number): string | undefined {
  if (body.length === 0) return 'The request must contain the parameter MessageBody.'
  if (Buffer.byteLength(body) + moreBytes > sqsQuotas.maxMessageBytes) {
    return `One or more parameters are invalid. Reason: Message must be shorter than ${sqsQuotas.maxMessageBytes} bytes.`
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones refused
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(body)) {
    return 'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF'
  }
  return undefined
}
