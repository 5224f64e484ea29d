import { InvalidOptionError } from '@org/kinesis-core'
import { timestampPattern } from './timestamp-pattern.js'

/** What an expression is expanded with. */
interface PrefixContext {
  /** Approximate arrival of the oldest record in the object; every timestamp of a prefix is this instant, in UTC. */
  atMs: number
  errorOutputType?: string
  randomString: () => string
}

export type Prefix = (context: PrefixContext) => string

type Part = (context: PrefixContext) => string

const DEFAULT_TIMESTAMP = '!{timestamp:yyyy/MM/dd/HH/}'

/**
 * Reads a prefix as in "Understand custom prefixes for Amazon S3 objects". One without a timestamp gets `yyyy/MM/dd/HH/` behind it, as
 * the service does.
 *
 * @throws InvalidOptionError for what the service refuses, and for dynamic partitioning, which is not here yet
 */
export function parsePrefix(option: string, text: string): Prefix {
  const withTimestamp = text.includes('!{timestamp:') ? text : `${text}${DEFAULT_TIMESTAMP}`
  return compile(option, withTimestamp, { errors: false })
}

/** Reads an error prefix, which must say `!{firehose:error-output-type}` if it says any expression. */
export function parseErrorPrefix(option: string, text: string): Prefix {
  if (text.includes('!{') && !text.includes('!{firehose:error-output-type}')) {
    throw new InvalidOptionError(option, text, 'Put !{firehose:error-output-type} into it.')
  }
  return compile(option, text.includes('!{') ? text : `${text}!{firehose:error-output-type}/`, {
    errors: true,
  })
}

function compile(option: string, text: string, { errors }: { errors: boolean }): Prefix {
  if (text.split('/').includes('..')) {
    throw new InvalidOptionError(option, text, 'A prefix stays inside its folder: leave `..` out.')
  }
  const parts: Part[] = []
  let rest = text
  for (let start = rest.indexOf('!{'); start !== -1; start = rest.indexOf('!{')) {
    const literal = rest.slice(0, start)
    const end = rest.indexOf('}', start)
    if (end === -1) {
      throw new InvalidOptionError(option, text, `Close the expression ${JSON.stringify(rest.slice(start))}.`)
    }
    parts.push(() => literal, expression(option, text, rest.slice(start + 2, end), errors))
    rest = rest.slice(end + 1)
  }
  parts.push(() => rest)
  return (context) => parts.map((part) => part(context)).join('')
}

function expression(option: string, text: string, inner: string, errors: boolean): Part {
  const colon = inner.indexOf(':')
  const namespace = inner.slice(0, Math.max(0, colon))
  const value = inner.slice(colon + 1)
  if (namespace === 'timestamp' && value !== '') {
    const format = timestampPattern(option, value)
    return ({ atMs }) => format(atMs)
  }
  if (namespace === 'firehose' && value === 'random-string') return ({ randomString }) => randomString()
  if (namespace === 'firehose' && value === 'error-output-type' && errors) {
    return ({ errorOutputType }) => errorOutputType ?? ''
  }
  if (namespace === 'partitionKeyFromLambda' || namespace === 'partitionKeyFromQuery') {
    throw new InvalidOptionError(
      option,
      text,
      `Dynamic partitioning is not supported: leave !{${inner}} out.`,
    )
  }
  throw new InvalidOptionError(
    option,
    text,
    `There is no expression !{${inner}}: use !{timestamp:…}, !{firehose:random-string}${errors ? ' or !{firehose:error-output-type}' : ''}.`,
  )
}
