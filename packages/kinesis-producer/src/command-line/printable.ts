/** Text of others – data, file names, answers of a service – for a terminal: what would move its cursor or hide text is written out. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const hex = character.codePointAt(0)!.toString(16)
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
  })
}

const EXCERPT_CHARACTERS = 60

/** How the bytes begin. */
export function excerptOf(bytes: Buffer): string {
  // Four bytes are the longest character of UTF-8.
  const characters = [...bytes.toString('utf8', 0, 4 * EXCERPT_CHARACTERS)]
  const isWhole = bytes.length <= 4 * EXCERPT_CHARACTERS && characters.length <= EXCERPT_CHARACTERS
  return characters.slice(0, EXCERPT_CHARACTERS).join('') + (isWhole ? '' : '…')
}
