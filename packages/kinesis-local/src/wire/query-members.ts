/** Members that are no text, for services whose operations look at types. */
export interface QueryMembers {
  numbers: readonly string[]
  booleans: readonly string[]
  /** Members under which all is text, whatever it is called: a dimension has a `Value` too. */
  text: readonly string[]
}

/** A form carries text alone: numbers and booleans are known by their names. What is none stays text, for the service to refuse. */
export function typeMembers(value: unknown, members: QueryMembers, name = ''): unknown {
  if (members.text.includes(name)) return value
  if (Array.isArray(value)) return value.map((item) => typeMembers(item, members, name))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([member, inner]) => [member, typeMembers(inner, members, member)]),
    )
  }
  if (typeof value !== 'string') return value
  if (members.numbers.includes(name)) {
    const number = Number(value)
    return value.trim() === '' || Number.isNaN(number) ? value : number
  }
  if (members.booleans.includes(name) && /^(true|false)$/.test(value)) return value === 'true'
  return value
}
