import { InvalidOptionError } from '@org/kinesis-core'
import { timestampPattern } from './timestamp-pattern.js'

/** What an expression is expanded with. */
interface PrefixContext {
  /** Approximate arrival of the oldest record in the object; every timestamp of a prefix is this instant. */
  atMs: number
  errorOutputType?: string
  /** By name, from the transform's metadata. */
  partitionKeys?: Readonly<Record<string, string>>
  randomString: () => string
}

export interface Prefix {
  expand(context: PrefixContext): string
  /** The names of `!{partitionKeyFromLambda:NAME}`. */
  partitionKeys: readonly string[]
}

export interface PrefixRules {
  timeZone?: string
  /** Records are partitioned by what the transform says of them. */
  isPartitioned?: boolean
}

type Part = (context: PrefixContext) => string

interface Grammar {
  option: string
  text: string
  timeZone: string
  kind: 'prefix' | 'partitioned' | 'error'
}

const DEFAULT_TIMESTAMP = '!{timestamp:yyyy/MM/dd/HH/}'
/** After it is expanded. */
export const MAX_PREFIX_LENGTH = 512

/**
 * Reads a prefix as in "Understand custom prefixes for Amazon S3 objects". One without a timestamp gets `yyyy/MM/dd/HH/` behind it, as
 * the service does.
 *
 * @throws InvalidOptionError for what the service refuses, and for partition keys from queries, which need jq
 */
export function parsePrefix(
  option: string,
  text: string,
  { timeZone = 'UTC', isPartitioned = false }: PrefixRules = {},
): Prefix {
  checkText(option, text)
  const withTimestamp = text.includes('!{timestamp:') ? text : `${text}${DEFAULT_TIMESTAMP}`
  const prefix = compile({
    option,
    text: withTimestamp,
    timeZone,
    kind: isPartitioned ? 'partitioned' : 'prefix',
  })
  if (isPartitioned && prefix.partitionKeys.length === 0) {
    throw new InvalidOptionError(
      option,
      text,
      'Put !{partitionKeyFromLambda:NAME} into it: with dynamic partitioning, the prefix says what by.',
    )
  }
  return prefix
}

/** Reads an error prefix, which must say `!{firehose:error-output-type}` if it says any expression. */
export function parseErrorPrefix(
  option: string,
  text: string,
  { timeZone = 'UTC' }: PrefixRules = {},
): Prefix {
  checkText(option, text)
  if (text.includes('!{') && !text.includes('!{firehose:error-output-type}')) {
    throw new InvalidOptionError(option, text, 'Put !{firehose:error-output-type} into it.')
  }
  const whole = text.includes('!{') ? text : `${text}!{firehose:error-output-type}/`
  return compile({ option, text: whole, timeZone, kind: 'error' })
}

function checkText(option: string, text: string): void {
  if (typeof text !== 'string') throw new InvalidOptionError(option, text, 'Give text.')
}

function compile(grammar: Grammar): Prefix {
  const { option, text } = grammar
  if (text.split('/').includes('..')) {
    throw new InvalidOptionError(option, text, 'A prefix stays inside its folder: leave `..` out.')
  }
  const parts: Part[] = []
  const partitionKeys = new Set<string>()
  let rest = text
  for (let start = rest.indexOf('!{'); start !== -1; start = rest.indexOf('!{')) {
    const literal = rest.slice(0, start)
    const end = rest.indexOf('}', start)
    if (end === -1) {
      throw new InvalidOptionError(option, text, `Close the expression ${JSON.stringify(rest.slice(start))}.`)
    }
    parts.push(() => literal, expression(grammar, rest.slice(start + 2, end), partitionKeys))
    rest = rest.slice(end + 1)
  }
  parts.push(() => rest)
  const expand = (context: PrefixContext) => parts.map((part) => part(context)).join('')
  const shortest = expand({ atMs: 0, randomString: () => 'x'.repeat(11) })
  if (shortest.length > MAX_PREFIX_LENGTH) {
    throw new InvalidOptionError(option, text, `Let it be of ${MAX_PREFIX_LENGTH} characters at most.`)
  }
  return { expand, partitionKeys: [...partitionKeys] }
}

function expression(grammar: Grammar, inner: string, partitionKeys: Set<string>): Part {
  const { option, text, kind, timeZone } = grammar
  const colon = inner.indexOf(':')
  const namespace = inner.slice(0, Math.max(0, colon))
  const value = inner.slice(colon + 1)
  if (namespace === 'timestamp' && value !== '') {
    const format = timestampPattern(option, value, timeZone)
    return ({ atMs }) => format(atMs)
  }
  if (namespace === 'firehose' && value === 'random-string') return ({ randomString }) => randomString()
  if (namespace === 'firehose' && value === 'error-output-type' && kind === 'error') {
    return ({ errorOutputType }) => errorOutputType ?? ''
  }
  if (namespace === 'partitionKeyFromLambda' && value !== '' && kind === 'partitioned') {
    partitionKeys.add(value)
    return ({ partitionKeys: keys }) => keys?.[value] ?? ''
  }
  throw new InvalidOptionError(option, text, remedy(kind, namespace, inner))
}

function remedy(kind: Grammar['kind'], namespace: string, inner: string): string {
  if (namespace === 'partitionKeyFromQuery') {
    return `Queries are not run here: have the transform return the key, and say !{partitionKeyFromLambda:…} for !{${inner}}.`
  }
  if (namespace === 'partitionKeyFromLambda' && kind === 'prefix') {
    return `Set dynamicPartitioning, or leave !{${inner}} out.`
  }
  const allowed = ['!{timestamp:…}', '!{firehose:random-string}']
  if (kind === 'error') allowed.push('!{firehose:error-output-type}')
  if (kind === 'partitioned') allowed.push('!{partitionKeyFromLambda:…}')
  return `There is no expression !{${inner}} in this place: use ${allowed.join(', ')}.`
}
