import { randomUUID } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { InvalidOptionError } from '@org/kinesis-core'
import { type FailureDocument, failureObjectKey } from '@org/kinesis-core/event-source-mapping'
import { writeDurably } from '../delivery/durable-file.js'
import type { HostDependencies } from '../function/host-dependencies.js'
import type { LocalService } from '../service.js'

/** Where batches go that a mapping gives up: one of the three. */
export type OnFailure =
  /** Absolute path of a folder that stands for an S3 bucket: a JSON document with the whole event for each batch. */
  | { folder: string }
  /** Name, URL or ARN of a queue: positions of the records, not the records. */
  | { queue: string }
  /** Name or ARN of a topic: positions, too. */
  | { topic: string }

export interface FailureDestination {
  /** Whether its documents hold the event itself, as those of S3 alone do. */
  readonly keepsRecords: boolean
  /** Resolves when the document is durable, or taken by the service. */
  write(shardId: string, document: FailureDocument): Promise<void>
}

export function checkedOnFailure(onFailure: OnFailure): OnFailure {
  const [[kind, place] = [], ...others] = Object.entries(onFailure ?? {}) as [string, unknown][]
  if (others.length > 0 || !(kind === 'folder' || kind === 'queue' || kind === 'topic')) {
    throw new InvalidOptionError('onFailure', onFailure, 'Give { folder }, { queue } or { topic }.')
  }
  const forms = {
    folder: (path: string) => isAbsolute(path),
    queue: (name: string) => /^(https?:\/\/\S+\/|arn:aws[\w-]*:sqs:[^:\s]+:\d{12}:)?[\w-]{1,80}$/.test(name),
    topic: (name: string) => /^(arn:aws[\w-]*:sns:[^:\s]+:\d{12}:)?[\w-]{1,256}$/.test(name),
  }
  if (typeof place === 'string' && forms[kind](place)) return { ...onFailure }
  throw new InvalidOptionError(
    `onFailure.${kind}`,
    place,
    {
      folder: 'Give an absolute path.',
      queue: 'Give the name, the URL or the ARN of a standard queue.',
      topic: 'Give the name or the ARN of a standard topic.',
    }[kind],
  )
}

export function openFailureDestination(
  onFailure: OnFailure,
  mappingId: string,
  deps: HostDependencies,
): FailureDestination {
  if ('folder' in onFailure) return folderDestination(onFailure.folder, mappingId, deps)
  return 'queue' in onFailure
    ? queueDestination(onFailure.queue, deps)
    : topicDestination(onFailure.topic, deps)
}

/** S3's names, with `.json` behind them. */
function folderDestination(
  folder: string,
  mappingId: string,
  { hold = (work) => work }: HostDependencies,
): FailureDestination {
  return {
    keepsRecords: true,
    async write(shardId, document) {
      const key = failureObjectKey(mappingId, shardId, Date.parse(document.timestamp), randomUUID())
      const bytes = Buffer.from(`${JSON.stringify(document, null, 2)}\n`)
      await hold(writeDurably(folder, `${key}.json`, bytes))
    },
  }
}

function queueDestination(queue: string, { sqs }: HostDependencies): FailureDestination {
  const service = present(sqs, 'onFailure.queue', queue)
  const QueueName = queue.split(/[/:]/).at(-1)!
  return {
    keepsRecords: false,
    async write(_shardId, document) {
      // Asked each time: the queue may be made, or made anew, while the mapping runs.
      const { QueueUrl } = (await service.call('GetQueueUrl', { QueueName })) as { QueueUrl: string }
      await service.call('SendMessage', { QueueUrl, MessageBody: JSON.stringify(document) })
    },
  }
}

function topicDestination(topic: string, { sns, region, accountId }: HostDependencies): FailureDestination {
  const service = present(sns, 'onFailure.topic', topic)
  const TopicArn = topic.startsWith('arn:') ? topic : `arn:aws:sns:${region}:${accountId}:${topic}`
  return {
    keepsRecords: false,
    async write(_shardId, document) {
      await service.call('Publish', { TopicArn, Message: JSON.stringify(document) })
    },
  }
}

function present(service: LocalService | undefined, option: string, value: string): LocalService {
  if (service !== undefined) return service
  throw new InvalidOptionError(option, value, 'There is no such service around this mapping: give a folder.')
}
