import { InvalidArgumentError } from 'commander'

/** What the values of flags have to be; each says in one line what to give instead. */

export function streamName(text: string): string {
  if (/^[a-zA-Z0-9_.-]{1,128}$/.test(text)) return text
  throw new InvalidArgumentError('Give 1 to 128 letters, digits, _ . and -.')
}

export function streamArn(text: string): string {
  if (/^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream\/[a-zA-Z0-9_.-]{1,128}$/.test(text)) return text
  throw new InvalidArgumentError('Give an ARN such as arn:aws:kinesis:eu-west-1:123456789012:stream/orders.')
}

export function url(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new InvalidArgumentError('Give a URL such as http://127.0.0.1:4566.')
}

/** An unset variable in a script makes a value empty. */
export function notEmpty(text: string): string {
  if (text.trim() !== '') return text
  throw new InvalidArgumentError('It is empty.')
}

export function above0(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('Give a number above 0.')
}

export function whole(least: number, most: number) {
  return (text: string) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
  }
}

export function oneGroup(text: string): RegExp {
  let regex: RegExp
  try {
    regex = new RegExp(text, 'u')
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
  // What matches nothing has its groups all the same.
  const groups = new RegExp(`${text}|`, 'u').exec('')!.length - 1
  if (groups === 1) return regex
  throw new InvalidArgumentError(`It has ${groups} capture groups. Give one: '^(\\S+)' is the first word.`)
}

export function delimiter(text: string): string {
  const character = text === '\\t' ? '\t' : text
  if (character.length === 1 && !/["\r\n]/.test(character)) return character
  throw new InvalidArgumentError('Give one character, such as ; or \\t.')
}
