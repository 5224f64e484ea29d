import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import { constraint, missing, type Request, wrongType } from './request.js'
import { resourceOf } from './resource.js'

/** Of one stream or consumer (API reference, AddTagsToStream and TagResource). */
const MAX_TAGS = 50

export function addTagsToStream({ streams }: KinesisContext, request: Request): undefined {
  addTags(streams.of(request).tags, givenTags(request))
}

export function removeTagsFromStream({ streams }: KinesisContext, request: Request): undefined {
  const stream = streams.of(request)
  for (const key of request.strings('TagKeys')) stream.tags.delete(key)
}

export function tagResource(context: KinesisContext, request: Request): undefined {
  addTags(resourceOf(context, request).tags, givenTags(request))
}

function givenTags(request: Request): Record<string, unknown> {
  const tags = request.object('Tags')
  if (tags === undefined) throw missing('Tags')
  return tags
}

export function untagResource(context: KinesisContext, request: Request): undefined {
  const { tags } = resourceOf(context, request)
  for (const key of request.strings('TagKeys')) tags.delete(key)
}

export function listTagsForResource(context: KinesisContext, request: Request): unknown {
  const tags = [...resourceOf(context, request).tags].sort(([a], [b]) => (a < b ? -1 : 1))
  return { Tags: tags.map(([Key, Value]) => ({ Key, Value })) }
}

export function listTagsForStream({ streams }: KinesisContext, request: Request): unknown {
  const stream = streams.of(request)
  const limit = request.optionalInteger('Limit', 1, MAX_TAGS) ?? MAX_TAGS
  const start = request.optionalString('ExclusiveStartTagKey') ?? ''
  const keys = [...stream.tags.keys()].filter((key) => key > start).sort()
  return {
    Tags: keys.slice(0, limit).map((key) => ({ Key: key, Value: stream.tags.get(key) })),
    HasMoreTags: keys.length > limit,
  }
}

/** All or none. */
export function addTags(tags: Map<string, string>, more: Record<string, unknown>): void {
  const added = Object.entries(more).map(([key, value]) => {
    if (typeof value !== 'string') throw wrongType('Tags', value, 'String')
    if (key.length < 1 || key.length > 128) {
      throw constraint('Tags', `'${key.slice(0, 140)}'`, 'Map keys must have length between 1 and 128')
    }
    if (value.length > 256) {
      throw constraint(
        'Tags',
        `'${value.slice(0, 140)}...'`,
        'Map value must have length less than or equal to 256',
      )
    }
    checkCharacters(key, value)
    return [key, value] as const
  })
  const fresh = added.filter(([key]) => !tags.has(key)).length
  if (tags.size + fresh > MAX_TAGS) {
    throw new ServiceError('InvalidArgumentException', `A resource can have at most ${MAX_TAGS} tags.`)
  }
  for (const [key, value] of added) tags.set(key, value)
}

/** User guide of tagging, "Tag naming limits and requirements"; Kinesis documents letters, digits, white space and a few symbols. */
function checkCharacters(key: string, value: string): void {
  if (/^aws:/i.test(key)) {
    throw new ServiceError(
      'InvalidArgumentException',
      `The tag key '${key}' begins with aws:, which is reserved. Choose another prefix.`,
    )
  }
  if (/\p{Cc}/u.test(key + value)) {
    throw new ServiceError(
      'InvalidArgumentException',
      `The tag ${JSON.stringify(key)} has a control character in its key or value. Leave it out.`,
    )
  }
}
