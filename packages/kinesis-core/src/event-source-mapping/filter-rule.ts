import { InvalidOptionError } from '../streaming-error.js'
import { isObject, type JsonLeaf, JsonNumber } from './json-value.js'

/** One of the rules of a field. */
export type LeafRule = { kind: 'value'; matches: (leaf: JsonLeaf) => boolean } | { kind: 'absent' }

type Operator = (operand: unknown, where: string) => LeafRule

/** Those that Lambda's page lists, and of EventBridge's those that event streams share; not `wildcard` and `cidr`, which event buses alone know. */
const operators: Readonly<Record<string, Operator>> = {
  'anything-but': anythingBut,
  'equals-ignore-case': (operand, where) => {
    const wanted = text(operand, where).toLowerCase()
    return onText((leaf) => leaf.toLowerCase() === wanted)
  },
  exists: (operand, where) => {
    if (typeof operand !== 'boolean')
      throw new InvalidOptionError(where, plain(operand), 'Give true or false.')
    return operand ? { kind: 'value', matches: () => true } : { kind: 'absent' }
  },
  numeric,
  prefix: (operand, where) => affix(operand, where, (leaf, part) => leaf.startsWith(part)),
  suffix: (operand, where) => affix(operand, where, (leaf, part) => leaf.endsWith(part)),
}

export function isOperator(name: string): boolean {
  return Object.hasOwn(operators, name) || name === 'wildcard' || name === 'cidr'
}

/** Reads a value that a field must equal, or an operator with its operand. */
export function leafRule(rule: unknown, where: string): LeafRule {
  if (Array.isArray(rule)) {
    throw new InvalidOptionError(
      where,
      rule,
      'Lists of rules do not nest: give the value or the rule itself.',
    )
  }
  if (!isObject(rule)) {
    const wanted = exactly(rule as JsonLeaf)
    return { kind: 'value', matches: (leaf) => exactly(leaf) === wanted }
  }
  const [name, ...others] = Object.keys(rule)
  if (name === undefined || others.length > 0) {
    throw new InvalidOptionError(
      where,
      rule,
      'Give one operator in it; several rules are several entries of the list.',
    )
  }
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
  if (operator === undefined) {
    throw new InvalidOptionError(
      `${where}.${name}`,
      plain(rule[name]),
      `Lambda's filters know ${Object.keys(operators).join(', ')}.`,
    )
  }
  return operator(rule[name], `${where}.${name}`)
}

function anythingBut(operand: unknown, where: string): LeafRule {
  const values = Array.isArray(operand) ? operand : [operand]
  const areTexts = values.every((value) => typeof value === 'string')
  const areNumbers = values.every((value) => value instanceof JsonNumber)
  if (values.length === 0 || !(areTexts || areNumbers)) {
    throw new InvalidOptionError(where, plain(operand), 'Give a text, a number, or a list of either.')
  }
  const unwanted = new Set(values.map(exactly))
  return { kind: 'value', matches: (leaf) => !unwanted.has(exactly(leaf)) }
}

/** A text, or `{ "equals-ignore-case": text }`. */
function affix(operand: unknown, where: string, holds: (leaf: string, part: string) => boolean): LeafRule {
  if (isObject(operand) && Object.keys(operand).join() === 'equals-ignore-case') {
    const part = text(operand['equals-ignore-case'], `${where}.equals-ignore-case`).toLowerCase()
    return onText((leaf) => holds(leaf.toLowerCase(), part))
  }
  const part = text(operand, where)
  return onText((leaf) => holds(leaf, part))
}

type Comparison = (value: number) => boolean

const comparisons: Readonly<Record<string, (than: number) => Comparison>> = {
  '=': (than) => (value) => value === than,
  '<': (than) => (value) => value < than,
  '<=': (than) => (value) => value <= than,
  '>': (than) => (value) => value > than,
  '>=': (than) => (value) => value >= than,
}

/** `["=", 5]`, one bound, or a lower and then an upper one. */
function numeric(operand: unknown, where: string): LeafRule {
  const terms = Array.isArray(operand) ? operand : []
  const [first, low, second, high] = terms
  const isRange = terms.length === 4 && /^>=?$/.test(String(first)) && /^<=?$/.test(String(second))
  const remedy =
    'Give a comparison and a number, ["=", 100] say, or a range with its lower bound first, [">", 10, "<=", 20].'
  if (!(terms.length === 2 || isRange)) throw new InvalidOptionError(where, plain(operand), remedy)
  if (typeof first !== 'string' || !Object.hasOwn(comparisons, first)) {
    throw new InvalidOptionError(`${where}[0]`, plain(first), remedy)
  }
  const bounds = [comparisons[first]!(bound(low, `${where}[1]`))]
  if (isRange) {
    bounds.push(comparisons[second as string]!(bound(high, `${where}[3]`)))
    if (bound(low, where) >= bound(high, where)) {
      throw new InvalidOptionError(
        where,
        JSON.stringify(terms.map(plain)),
        'Give a lower bound below the upper one.',
      )
    }
  }
  return {
    kind: 'value',
    matches: (leaf) => {
      const value = millionths(leaf)
      return value !== undefined && bounds.every((holds) => holds(value))
    },
  }
}

function bound(operand: unknown, where: string): number {
  const value = operand instanceof JsonNumber ? millionths(operand) : undefined
  if (value === undefined) {
    throw new InvalidOptionError(where, plain(operand), 'Give a number from -5.0e9 to 5.0e9.')
  }
  return value
}

/** Numbers are compared between -5e9 and 5e9, six digits after the point ("Numeric matching"); others match no comparison. */
function millionths(leaf: JsonLeaf): number | undefined {
  const value = leaf instanceof JsonNumber ? leaf.value : leaf
  return typeof value === 'number' && Math.abs(value) <= 5e9 ? Math.round(value * 1e6) : undefined
}

/** What two leaves are compared by: numbers by their text, so that 300, 300.0 and 3.0e2 differ, as the service has it. */
function exactly(leaf: JsonLeaf): unknown {
  return leaf instanceof JsonNumber ? `number ${leaf.text}` : typeof leaf === 'string' ? `text ${leaf}` : leaf
}

function onText(holds: (leaf: string) => boolean): LeafRule {
  return { kind: 'value', matches: (leaf) => typeof leaf === 'string' && holds(leaf) }
}

function text(operand: unknown, where: string): string {
  if (typeof operand !== 'string') throw new InvalidOptionError(where, plain(operand), 'Give a text.')
  return operand
}

/** As the caller wrote it. */
function plain(value: unknown): unknown {
  return value instanceof JsonNumber ? value.value : value
}
