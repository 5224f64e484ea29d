import { InvalidOptionError } from '@org/kinesis-core'

const fields: Record<string, { widths: readonly number[]; of: (at: Date) => number }> = {
  y: { widths: [4], of: (at) => at.getUTCFullYear() },
  M: { widths: [1, 2], of: (at) => at.getUTCMonth() + 1 },
  d: { widths: [1, 2], of: (at) => at.getUTCDate() },
  H: { widths: [1, 2], of: (at) => at.getUTCHours() },
  m: { widths: [1, 2], of: (at) => at.getUTCMinutes() },
  s: { widths: [1, 2], of: (at) => at.getUTCSeconds() },
}

/** The part of Java's DateTimeFormatter that makes numbers: yyyy MM dd HH mm ss, text in single quotes, other characters as they are. */
export function timestampPattern(option: string, pattern: string): (atMs: number) => string {
  const parts = [...pattern.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g)].map(
    ([whole, quoted, letter]) => {
      if (quoted !== undefined) return () => (quoted === '' ? "'" : quoted.replaceAll("''", "'"))
      if (letter === undefined && whole !== "'") return () => whole
      const field = fields[letter ?? '']
      if (field === undefined || !field.widths.includes(whole.length)) {
        throw new InvalidOptionError(
          option,
          pattern,
          `${whole} is no part of a timestamp here: use yyyy, MM, dd, HH, mm and ss, and single quotes around text.`,
        )
      }
      return (at: Date) => String(field.of(at)).padStart(whole.length, '0')
    },
  )
  return (atMs) => {
    const at = new Date(atMs)
    return parts.map((part) => part(at)).join('')
  }
}
