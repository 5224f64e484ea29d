import { randomUUID } from 'node:crypto'
import { ServiceError } from '../service.js'
import { send } from './aws-json.js'
import { TIMESTAMP } from './cbor-encoder.js'
import type { WireResponse } from './listener.js'
import type { QueryMembers } from './query-members.js'

/** What of a service the AWS query protocol (forms in, XML out) needs to know beside its operations. */
export interface QueryProtocol {
  /** What requests carry as `Version`, and nothing else tells the services apart. */
  version: string
  xmlNamespace: string
  /** Members of answers that are maps, not structures. */
  maps: readonly string[]
  /** Members of requests that are no text. @default none */
  members?: QueryMembers
}

/** Deeper than any request of the services; recursion ends here. */
const MAX_DEPTH = 12
const MAX_PARAMETERS = 20_000

/** Reads a form: `A.member.1.B=x` is `{ A: [{ B: 'x' }] }`, and `A.entry.1.key=k` with `.value=v` is `{ A: { k: 'v' } }`. All values are text. */
export function parseQuery(body: Buffer): {
  action: string
  version: string
  input: Record<string, unknown>
} {
  const form = body.toString('utf8')
  // Before it is parsed: a form may be nothing but millions of them.
  if (hasMore(form, '&', MAX_PARAMETERS)) throw malformed(`it has more than ${MAX_PARAMETERS} parameters`)
  const root: Node = new Map()
  for (const [path, value] of new URLSearchParams(form)) place(root, path, value)
  const { Action: action, Version: version, ...input } = structureOf(root)
  return { action: String(action ?? ''), version: String(version ?? ''), input }
}

/** Whether `text` has that many separators, which part one more; it looks no further. */
function hasMore(text: string, separator: string, most: number): boolean {
  let found = 0
  for (let at = text.indexOf(separator); at !== -1; at = text.indexOf(separator, at + 1)) {
    found += 1
    if (found >= most) return true
  }
  return false
}

export function answerQuery(
  response: WireResponse,
  { xmlNamespace, maps }: QueryProtocol,
  operation: string,
  result: unknown,
): Buffer {
  // An operation without output has no result element.
  const hasResult = typeof result === 'object' && result !== null && Object.keys(result).length > 0
  const inner = hasResult ? `<${operation}Result>${membersOf(result, maps)}</${operation}Result>` : ''
  return sendXml(
    response,
    200,
    `<${operation}Response xmlns="${xmlNamespace}">${inner}<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${operation}Response>`,
  )
}

export function answerQueryError(
  response: WireResponse,
  { xmlNamespace }: { xmlNamespace: string },
  error: ServiceError,
): Buffer {
  return sendXml(response, error.statusCode, queryErrorXml(error, xmlNamespace))
}

export function queryErrorXml(error: ServiceError, xmlNamespace: string): string {
  const type = error.statusCode < 500 ? 'Sender' : 'Receiver'
  return `<ErrorResponse xmlns="${xmlNamespace}"><Error><Type>${type}</Type><Code>${error.code}</Code><Message>${escaped(error.message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`
}

function sendXml(response: WireResponse, status: number, xml: string): Buffer {
  const body = Buffer.from(xml)
  send(response, status, body, { 'content-type': 'text/xml' })
  return body
}

/** Maps, for names of members come from outside: `__proto__` is one of them. */
type Node = Map<string, Node | string>

function place(root: Node, path: string, value: string): void {
  const steps = path.split('.', MAX_DEPTH + 1)
  if (steps.length > MAX_DEPTH) throw malformed(`the parameter ${path.slice(0, 80)} is too deep`)
  let node = root
  for (const step of steps.slice(0, -1)) {
    const next = node.get(step) ?? new Map()
    if (typeof next === 'string') throw malformed(`${path.slice(0, 80)} is both a value and a structure`)
    node.set(step, next)
    node = next
  }
  node.set(steps.at(-1)!, value)
}

function structureOf(node: Node): Record<string, unknown> {
  return Object.fromEntries([...node].map(([name, child]) => [name, readNode(child)]))
}

function readNode(node: Node | string): unknown {
  if (typeof node === 'string') return node
  if (node.size === 1) {
    const [[name, child]] = [...node] as [[string, Node | string]]
    if (name === 'member') return child === '' ? [] : inOrder(child).map(readNode)
    if (name === 'entry') return Object.fromEntries(inOrder(child).map(entryOf))
  }
  return structureOf(node)
}

function inOrder(list: Node | string): (Node | string)[] {
  if (typeof list === 'string') throw malformed('a list has no numbers')
  return [...list].sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => child)
}

/** Entries of most maps have `key` and `value`, those of message attributes `Name` and `Value`. */
function entryOf(entry: Node | string): [string, unknown] {
  if (typeof entry === 'string') throw malformed('a map has an entry without key')
  const key = entry.get('key') ?? entry.get('Name')
  const value = entry.get('value') ?? entry.get('Value')
  if (typeof key !== 'string' || value === undefined) throw malformed('a map has an entry without key')
  return [key, readNode(value)]
}

function membersOf(structure: object, maps: readonly string[]): string {
  return Object.entries(structure)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => {
      const shown = TIMESTAMP.test(name) ? inIso8601(value) : value
      const inner = maps.includes(name) ? entriesOf(value as object, maps) : xmlOf(shown, maps)
      return `<${name}>${inner}</${name}>`
    })
    .join('')
}

/** Epoch seconds, one or a list of them. */
function inIso8601(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inIso8601)
  return typeof value === 'number' ? new Date(value * 1000).toISOString() : value
}

function entriesOf(map: object, maps: readonly string[]): string {
  return Object.entries(map)
    .map(([key, value]) => `<entry><key>${escaped(key)}</key><value>${xmlOf(value, maps)}</value></entry>`)
    .join('')
}

function xmlOf(value: unknown, maps: readonly string[]): string {
  if (Array.isArray(value)) return value.map((one) => `<member>${xmlOf(one, maps)}</member>`).join('')
  if (typeof value === 'object' && value !== null) return membersOf(value, maps)
  return escaped(String(value))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write these
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escaped(text: string): string {
  return text.replace(UNWRITABLE, '?').replace(/[&<>"]/g, (one) => ENTITIES[one]!)
}

function malformed(why: string): ServiceError {
  return new ServiceError('MalformedInput', `The form cannot be read: ${why}.`)
}
