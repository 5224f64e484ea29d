import { textOf } from '../scalar-input.js'
import { ServiceError } from '../service.js'
import { invalidArgument, objectOf } from './firehose-input.js'

const MAX_TAGS = 50

export function putTags(tags: Map<string, string>, added: unknown): void {
  if (!Array.isArray(added)) throw invalidArgument('Tags must be a list.')
  const pairs = added.map(objectOf).map(({ Key, Value = '' }) => [Key, Value] as const)
  for (const [key, value] of pairs) {
    if (typeof key !== 'string' || key === '' || key.length > 128 || textOf(value).length > 256) {
      throw invalidArgument('A tag has a Key of 1 to 128 characters, and a Value of up to 256.')
    }
  }
  if (new Set([...tags.keys(), ...pairs.map(([key]) => key)]).size > MAX_TAGS) {
    throw new ServiceError('LimitExceededException', `A delivery stream has at most ${MAX_TAGS} tags.`)
  }
  for (const [key, value] of pairs) tags.set(key as string, textOf(value))
}

export function deleteTags(tags: Map<string, string>, keys: unknown): void {
  if (!Array.isArray(keys)) throw invalidArgument('TagKeys must be a list.')
  for (const key of keys) tags.delete(textOf(key))
}

export function listTags(tags: ReadonlyMap<string, string>): unknown {
  return { Tags: [...tags].map(([Key, Value]) => ({ Key, Value })), HasMoreTags: false }
}
