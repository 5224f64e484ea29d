/** A variable that the stack sets. Missing means a wiring fault, which is said at start-up and not at the first record. */
export function required(name: string): string {
  const value = process.env[name]
  if (!value)
    throw new Error(
      `The environment variable ${name} is not set: the stack that deploys this function sets it.`,
    )
  return value
}
