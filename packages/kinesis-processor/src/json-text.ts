/** JSON that a queue takes as it is: two characters are JSON and no XML, and SQS refuses them. */
export function jsonText(value: unknown): string {
  const json: string | undefined = JSON.stringify(value)
  if (json === undefined) throw new TypeError(`A ${typeof value} has no JSON.`)
  return json.replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
}
