// What is given where a service expects text or a number. `String` and `Number` throw for objects whose `toString` is a value.

export function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/** NaN for what is neither a number nor text of one. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
}
