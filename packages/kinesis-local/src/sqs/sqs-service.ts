import { type Clock, sleep, sqsQuotas } from '@org/kinesis-core'
import { type LocalService, ServiceError } from '../service.js'
import { md5, Queue, type QueuedMessage } from './queue.js'

const MAX_WAIT_SECONDS = 20
const WAIT_STEP_MS = 50

/** The part of SQS that sinks, failure destinations and their readers use: standard queues, in memory. */
export class SqsService implements LocalService {
  readonly targetPrefix = 'AmazonSQS'
  readonly #queues = new Map<string, Queue>()

  constructor(
    private readonly urlBase: () => string,
    private readonly region: string,
    private readonly accountId: string,
    private readonly clock: Clock,
  ) {}

  queue(name: string): Queue | undefined {
    return this.#queues.get(name)
  }

  async call(operation: string, input: Record<string, unknown>): Promise<unknown> {
    switch (operation) {
      case 'CreateQueue':
        return this.#create(input)
      case 'GetQueueUrl':
        return { QueueUrl: this.#named(text(input, 'QueueName')).url }
      case 'ListQueues':
        return {
          QueueUrls: [...this.#queues.values()]
            .filter(({ name }) => name.startsWith(String(input.QueueNamePrefix ?? '')))
            .map(({ url }) => url),
        }
      case 'GetQueueAttributes':
        return this.#attributes(this.#at(input))
      case 'SendMessage':
        return this.#send(this.#at(input), input)
      case 'SendMessageBatch':
        return this.#sendBatch(this.#at(input), input)
      case 'ReceiveMessage':
        return this.#receive(this.#at(input), input)
      case 'DeleteMessage':
        return this.#delete(this.#at(input), text(input, 'ReceiptHandle'))
      case 'DeleteMessageBatch':
        return this.#deleteBatch(this.#at(input), input)
      case 'PurgeQueue':
        this.#at(input).purge()
        return {}
      case 'DeleteQueue':
        this.#queues.delete(this.#at(input).name)
        return {}
      default:
        throw new ServiceError('InvalidAction', `The action ${operation} is not supported.`)
    }
  }

  #create(input: Record<string, unknown>): unknown {
    const name = text(input, 'QueueName')
    if (!/^[\w-]{1,80}$/.test(name)) {
      throw new ServiceError(
        'InvalidParameterValue',
        'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
      )
    }
    const known = this.#queues.get(name)
    if (known !== undefined) return { QueueUrl: known.url }
    const attributes = (input.Attributes ?? {}) as Record<string, string>
    const queue = new Queue(
      name,
      `${this.urlBase()}/${this.accountId}/${name}`,
      `arn:aws:sqs:${this.region}:${this.accountId}:${name}`,
      Number(attributes.VisibilityTimeout ?? 30) * 1000,
      this.clock.now(),
    )
    this.#queues.set(name, queue)
    return { QueueUrl: queue.url }
  }

  #attributes(queue: Queue): unknown {
    const { visible, hidden } = queue.count(this.clock.now())
    return {
      Attributes: {
        QueueArn: queue.arn,
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesNotVisible: String(hidden),
        ApproximateNumberOfMessagesDelayed: '0',
        CreatedTimestamp: String(Math.floor(queue.createdAtMs / 1000)),
        VisibilityTimeout: String(queue.visibilityTimeoutMs / 1000),
        MaximumMessageSize: String(sqsQuotas.maxMessageBytes),
      },
    }
  }

  #send(queue: Queue, input: Record<string, unknown>): unknown {
    const body = text(input, 'MessageBody')
    const reason = refusal(body)
    if (reason !== undefined) throw new ServiceError('InvalidParameterValue', reason)
    return sent(queue.send(body, input.MessageAttributes, this.clock.now(), delayMs(input)))
  }

  #sendBatch(queue: Queue, input: Record<string, unknown>): unknown {
    const entries = batchEntries(input)
    const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(text(entry, 'MessageBody')), 0)
    if (bytes > sqsQuotas.maxMessageBytes) {
      throw new ServiceError(
        'AWS.SimpleQueueService.BatchRequestTooLong',
        `Batch requests cannot be longer than ${sqsQuotas.maxMessageBytes} bytes. You have sent ${bytes} bytes.`,
      )
    }
    const Successful: unknown[] = []
    const Failed: unknown[] = []
    for (const entry of entries) {
      const Id = text(entry, 'Id')
      const body = text(entry, 'MessageBody')
      const reason = refusal(body)
      if (reason === undefined) {
        Successful.push({
          Id,
          ...sent(queue.send(body, entry.MessageAttributes, this.clock.now(), delayMs(entry))),
        })
      } else Failed.push({ Id, SenderFault: true, Code: 'InvalidParameterValue', Message: reason })
    }
    return { Successful, Failed }
  }

  async #receive(queue: Queue, input: Record<string, unknown>): Promise<unknown> {
    const most = Number(input.MaxNumberOfMessages ?? 1)
    if (!Number.isInteger(most) || most < 1 || most > sqsQuotas.maxBatchEntries) {
      throw new ServiceError(
        'InvalidParameterValue',
        `Value ${String(input.MaxNumberOfMessages).slice(0, 20)} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.`,
      )
    }
    const visibilityMs =
      input.VisibilityTimeout === undefined
        ? queue.visibilityTimeoutMs
        : Number(input.VisibilityTimeout) * 1000
    const untilMs = this.clock.now() + Math.min(MAX_WAIT_SECONDS, Number(input.WaitTimeSeconds ?? 0)) * 1000
    let messages = queue.receive(most, visibilityMs, this.clock.now())
    while (messages.length === 0 && this.clock.now() < untilMs) {
      await sleep(this.clock, WAIT_STEP_MS)
      messages = queue.receive(most, visibilityMs, this.clock.now())
    }
    return messages.length === 0 ? {} : { Messages: messages.map(received) }
  }

  #delete(queue: Queue, receiptHandle: string): unknown {
    if (!queue.delete(receiptHandle)) {
      throw new ServiceError(
        'ReceiptHandleIsInvalid',
        `The input receipt handle "${receiptHandle.slice(0, 60)}" is not a valid receipt handle.`,
      )
    }
    return {}
  }

  #deleteBatch(queue: Queue, input: Record<string, unknown>): unknown {
    const Successful: unknown[] = []
    const Failed: unknown[] = []
    for (const entry of batchEntries(input)) {
      const Id = text(entry, 'Id')
      if (queue.delete(text(entry, 'ReceiptHandle'))) Successful.push({ Id })
      else
        Failed.push({
          Id,
          SenderFault: true,
          Code: 'ReceiptHandleIsInvalid',
          Message: 'Not a valid receipt handle.',
        })
    }
    return { Successful, Failed }
  }

  #at(input: Record<string, unknown>): Queue {
    return this.#named(text(input, 'QueueUrl').split('/').at(-1) ?? '')
  }

  #named(name: string): Queue {
    const queue = this.#queues.get(name)
    if (queue === undefined) {
      throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.', 400, {
        'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender',
      })
    }
    return queue
  }
}

function text(input: Record<string, unknown>, name: string): string {
  const value = input[name]
  if (typeof value !== 'string') {
    throw new ServiceError('MissingParameter', `The request must contain the parameter ${name}.`)
  }
  return value
}

function delayMs(input: Record<string, unknown>): number {
  return Number(input.DelaySeconds ?? 0) * 1000
}

function batchEntries(input: Record<string, unknown>): Record<string, unknown>[] {
  const entries = Array.isArray(input.Entries) ? (input.Entries as Record<string, unknown>[]) : []
  if (entries.length === 0) {
    throw new ServiceError(
      'AWS.SimpleQueueService.EmptyBatchRequest',
      'There should be at least one entry in the request.',
    )
  }
  if (entries.length > sqsQuotas.maxBatchEntries) {
    throw new ServiceError(
      'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${sqsQuotas.maxBatchEntries}. You have sent ${entries.length}.`,
    )
  }
  if (new Set(entries.map((entry) => entry.Id)).size < entries.length) {
    throw new ServiceError(
      'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
      'Two or more batch entries in the request have the same Id.',
    )
  }
  return entries
}

/** Why a body cannot be taken: its length, or a character that XML 1.0 cannot hold (API reference, SendMessage). */
function refusal(body: string): string | undefined {
  if (body.length === 0) return 'The request must contain the parameter MessageBody.'
  if (Buffer.byteLength(body) > sqsQuotas.maxMessageBytes) {
    return `One or more parameters are invalid. Reason: Message must be shorter than ${sqsQuotas.maxMessageBytes} bytes.`
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones refused
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(body)) {
    return 'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF'
  }
  return undefined
}

function sent(message: QueuedMessage) {
  return { MessageId: message.messageId, MD5OfMessageBody: md5(message.body) }
}

function received(message: QueuedMessage) {
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(message.attributes === undefined ? {} : { MessageAttributes: message.attributes }),
    Attributes: {
      SentTimestamp: String(message.sentAtMs),
      ApproximateReceiveCount: String(message.receiveCount),
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs),
    },
  }
}
