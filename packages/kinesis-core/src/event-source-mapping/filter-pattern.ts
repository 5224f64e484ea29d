import { InvalidOptionError } from '../streaming-error.js'
import { isOperator, type LeafRule, leafRule } from './filter-rule.js'
import { isObject, JsonNumber, type JsonObject, leavesIn, objectsIn } from './json-value.js'

/** A filter pattern on an event. */
export interface EventPattern {
  matches(value: unknown): boolean
  /** Whether it compares numbers by their text. */
  comparesNumbers: boolean
}

/** The whole value, for rules that ask whether a field is anywhere in it. */
interface Whole {
  value: unknown
  presence: Map<string, boolean>
}

type FieldTest = (object: JsonObject, whole: Whole) => boolean

const ABSENT: JsonObject = {}

/**
 * Compiles a pattern: all of its fields must match, each by one of its rules (EventBridge user guide, "Creating event patterns" and
 * "Comparison operators for use in event patterns", whose syntax Lambda shares). An array in the event matches if one of its elements
 * does, and fields of one object in a pattern are looked for in one element, not in several.
 */
export function eventPattern(pattern: JsonObject, where: string): EventPattern {
  const tests = fieldTests(pattern, [], where)
  return {
    matches: (value) => anyObject(value, tests, { value, presence: new Map() }),
    comparesNumbers: holdsNumbers(pattern),
  }
}

function anyObject(value: unknown, tests: readonly FieldTest[], whole: Whole): boolean {
  const objects = objectsIn(value)
  // A field that must not exist may lack its parent, too.
  if (objects.length === 0) objects.push(ABSENT)
  return objects.some((object) => tests.every((test) => test(object, whole)))
}

function fieldTests(pattern: JsonObject, path: readonly string[], where: string): FieldTest[] {
  const names = Object.keys(pattern)
  if (names.length === 0) throw new InvalidOptionError(where, pattern, 'Name at least one field in it.')
  return names.map((name) => {
    const place = `${where}.${name}`
    const rules = pattern[name]
    if (name === '$or' && isAlternatives(rules)) {
      const alternatives = rules.map((rule, index) => fieldTests(rule, path, `${place}[${index}]`))
      return (object, whole) => alternatives.some((tests) => tests.every((test) => test(object, whole)))
    }
    if (isObject(rules)) {
      const tests = fieldTests(rules, [...path, name], place)
      return (object, whole) => anyObject(own(object, name), tests, whole)
    }
    if (!Array.isArray(rules) || rules.length === 0) {
      throw new InvalidOptionError(
        place,
        rules instanceof JsonNumber ? rules.value : rules,
        'Give an object of fields, or a list of the values and rules of which one must match.',
      )
    }
    return leafTest(
      name,
      [...path, name],
      rules.map((rule, index) => leafRule(rule, `${place}[${index}]`)),
    )
  })
}

function leafTest(name: string, path: readonly string[], rules: readonly LeafRule[]): FieldTest {
  return (object, whole) => {
    const leaves = leavesIn(own(object, name))
    return rules.some((rule) =>
      rule.kind === 'absent' ? !isPresent(path, whole) : leaves.some((leaf) => rule.matches(leaf)),
    )
  }
}

/** As EventBridge takes it: two or more objects whose fields are no operators; any other `$or` is a field of that name. */
export function isAlternatives(rules: unknown): rules is JsonObject[] {
  return (
    Array.isArray(rules) &&
    rules.length > 1 &&
    rules.every((rule) => isObject(rule) && !Object.keys(rule).some(isOperator))
  )
}

/** Whether the field has a value anywhere in the event, in whichever element of whichever array. */
function isPresent(path: readonly string[], { value, presence }: Whole): boolean {
  const key = JSON.stringify(path)
  const known = presence.get(key)
  if (known !== undefined) return known
  let values = [value]
  for (const name of path) values = values.flatMap(objectsIn).map((object) => own(object, name))
  const found = values.some((item) => leavesIn(item).length > 0)
  presence.set(key, found)
  return found
}

function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function holdsNumbers(pattern: unknown): boolean {
  if (pattern instanceof JsonNumber) return true
  if (typeof pattern !== 'object' || pattern === null) return false
  // The numbers of a range are compared by value.
  return Object.entries(pattern).some(([key, value]) => key !== 'numeric' && holdsNumbers(value))
}
