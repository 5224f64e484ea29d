// Node has it since 21; the libraries of TypeScript 6 do not know it yet.
interface JSON {
  /** A value that `stringify` writes as it is: digits that no number holds. */
  rawJSON(text: string): object
}
