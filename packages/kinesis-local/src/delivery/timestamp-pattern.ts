import { InvalidOptionError } from '@org/kinesis-core'
import { type ZonedTime, zonedTimes } from './zoned-time.js'

type Part = (at: ZonedTime) => string

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const QUARTERS = ['1st quarter', '2nd quarter', '3rd quarter', '4th quarter']

/**
 * Java's DateTimeFormatter, which is what a timestamp in a prefix is: all letters in their numbers and English words but those that name
 * zones or pad (`z`, `v`, `B`, `p`). Weeks begin on Sunday and the first may be short, as in the United States.
 */
export function timestampPattern(
  option: string,
  pattern: string,
  timeZone = 'UTC',
): (atMs: number) => string {
  const zoned = zonedTimes(timeZone)
  const parts = [...pattern.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g)].map(
    ([whole, quoted, letter]): Part => {
      if (quoted !== undefined) return () => (quoted === '' ? "'" : quoted.replaceAll("''", "'"))
      const part = letter === undefined ? literal(whole) : letterPart(letter, whole.length, timeZone)
      if (part !== undefined) return part
      throw new InvalidOptionError(
        option,
        pattern,
        `${whole} is no part of a timestamp here: use letters of Java's DateTimeFormatter such as yyyy, MM, dd and HH, and single quotes around text.`,
      )
    },
  )
  return (atMs) => {
    const at = zoned(atMs)
    return parts.map((part) => part(at)).join('')
  }
}

/** Brackets make a part optional, which matters to parsing alone; the other characters here are reserved. */
function literal(text: string): Part | undefined {
  if (/[{}#']/.test(text)) return undefined
  const shown = text.replaceAll(/[[\]]/g, '')
  return () => shown
}

function letterPart(letter: string, count: number, timeZone: string): Part | undefined {
  const padded = (most: number, of: (at: ZonedTime) => number): Part | undefined =>
    count > most ? undefined : (at) => String(of(at)).padStart(count, '0')
  const year = (of: (at: ZonedTime) => number): Part | undefined => {
    if (count === 2) return (at) => String(of(at) % 100).padStart(2, '0')
    return padded(15, of)
  }
  const named = (names: readonly string[], of: (at: ZonedTime) => number): Part | undefined => {
    const length = { 3: 3, 4: 99, 5: 1 }[count]
    return length === undefined ? undefined : (at) => names[of(at)]!.slice(0, length)
  }
  switch (letter) {
    case 'G':
      return count > 5 ? undefined : () => ({ 4: 'Anno Domini', 5: 'A' })[count] ?? 'AD'
    case 'u':
    case 'y':
      return year((at) => at.year)
    case 'Y':
      return year((at) => at.weekYear)
    case 'M':
    case 'L':
      return padded(2, (at) => at.month) ?? named(MONTHS, (at) => at.month - 1)
    case 'Q':
    case 'q':
      if (count === 3) return (at) => `Q${at.quarter}`
      if (count === 4) return (at) => QUARTERS[at.quarter - 1]!
      return count === 5 ? (at) => String(at.quarter) : padded(2, (at) => at.quarter)
    case 'w':
      return padded(2, (at) => at.week)
    case 'W':
      return padded(1, (at) => at.weekOfMonth)
    case 'D':
      return padded(3, (at) => at.dayOfYear)
    case 'd':
      return padded(2, (at) => at.day)
    case 'F':
      return padded(1, (at) => ((at.day - 1) % 7) + 1)
    case 'E':
      return count < 3 ? (at) => DAYS[at.weekday]!.slice(0, 3) : named(DAYS, (at) => at.weekday)
    case 'e':
    case 'c':
      return padded(2, (at) => at.weekday + 1) ?? named(DAYS, (at) => at.weekday)
    case 'a':
      return count > 1 ? undefined : (at) => (at.hour < 12 ? 'AM' : 'PM')
    case 'h':
      return padded(2, (at) => at.hour % 12 || 12)
    case 'K':
      return padded(2, (at) => at.hour % 12)
    case 'k':
      return padded(2, (at) => at.hour || 24)
    case 'H':
      return padded(2, (at) => at.hour)
    case 'm':
      return padded(2, (at) => at.minute)
    case 's':
      return padded(2, (at) => at.second)
    case 'S':
      return count > 9
        ? undefined
        : (at) => String(at.millisecond).padStart(3, '0').padEnd(9, '0').slice(0, count)
    case 'A':
      return padded(19, (at) => at.millisecondOfDay)
    case 'n':
      return padded(19, (at) => at.millisecond * 1_000_000)
    case 'N':
      return padded(19, (at) => at.millisecondOfDay * 1_000_000)
    case 'V':
      return count === 2 ? () => timeZone : undefined
    case 'O':
      return count === 1 || count === 4 ? (at) => gmt(at.offsetMinutes, count === 4) : undefined
    case 'X':
      return count > 5 ? undefined : (at) => (at.offsetMinutes === 0 ? 'Z' : offset(at.offsetMinutes, count))
    case 'x':
      return count > 5 ? undefined : (at) => offset(at.offsetMinutes, count)
    case 'Z':
      if (count < 4) return (at) => offset(at.offsetMinutes, 2)
      if (count === 4) return (at) => gmt(at.offsetMinutes, true)
      return count === 5 ? (at) => (at.offsetMinutes === 0 ? 'Z' : offset(at.offsetMinutes, 3)) : undefined
    default:
      return undefined
  }
}

/** As `X` writes it: 1 is `+09` or `+0930`, 2 and 4 `+0930`, 3 and 5 `+09:30`. Zones of today have no seconds. */
function offset(minutes: number, count: number): string {
  const sign = minutes < 0 ? '-' : '+'
  const hours = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')
  const rest = String(Math.abs(minutes) % 60).padStart(2, '0')
  if (count === 1) return `${sign}${hours}${rest === '00' ? '' : rest}`
  return `${sign}${hours}${count % 2 === 1 ? ':' : ''}${rest}`
}

function gmt(minutes: number, long: boolean): string {
  if (minutes === 0) return 'GMT'
  if (long) return `GMT${offset(minutes, 3)}`
  return `GMT${offset(minutes, 3).replace(/^(.)0/, '$1').replace(/:00$/, '')}`
}
