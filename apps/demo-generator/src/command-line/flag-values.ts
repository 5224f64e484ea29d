import { InvalidArgumentError } from 'commander'
import { type AskedFields, parseFieldMap } from '../replay/field-map.js'

/** What the values of flags have to be; each says in one line what to give instead. */

export function above0(text: string): number {
  return number(text, (value) => value > 0, 'Give a number above 0.')
}

export function atLeast0(text: string): number {
  return number(text, (value) => value >= 0, 'Give a number, 0 or more.')
}

export function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  const range = most === Number.MAX_SAFE_INTEGER ? `, ${least} or more` : ` from ${least} to ${most}`
  return (text: string) =>
    number(
      text,
      (value) => Number.isInteger(value) && value >= least && value <= most,
      `Give a whole number${range}.`,
    )
}

/** Below 1: a replay puts its bad records between the lines, and would never come to the next one. */
export function badFraction(text: string): number {
  return number(text, (value) => value >= 0 && value < 1, 'Give a number from 0 to below 1.')
}

export const seed = whole(0, 2 ** 32 - 1)

export function speed(text: string): number | 'max' {
  return text === 'max' ? 'max' : number(text, (value) => value > 0, 'Give a number above 0, or max.')
}

export function url(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('Give a URL such as http://127.0.0.1:4566.')
  }
  return text
}

/** A file, folder or name: an unset variable in a script makes it empty, and empty would mean the current folder. */
export function notEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.')
  return text
}

export function fieldMap(text: string): AskedFields {
  try {
    return parseFieldMap(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

function number(text: string, fits: (value: number) => boolean, remedy: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value) || !fits(value)) throw new InvalidArgumentError(remedy)
  return value
}
