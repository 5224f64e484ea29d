import { JsonNumber, Misfit } from './json-documents.js'

/** Numbers and times as text that DuckDB reads exactly; JSON has them as numbers or as text. */

export function fitInteger(value: unknown, bits: bigint): string {
  const text = numeric(value)
  if (!/^-?\d+$/.test(text)) throw new Misfit('is no whole number')
  const number = BigInt(text)
  const most = 2n ** (bits - 1n)
  if (number >= most || number < -most) throw new Misfit(`does not fit into ${bits} bits`)
  return String(number)
}

export function fitFloating(value: unknown, most: number): number {
  const text = numeric(value)
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(number) || Math.abs(number) > most) throw new Misfit('is no number of this size')
  return number
}

/** Rounded half up where there are more digits behind the point than the column has. */
export function fitDecimal(value: unknown, precision: number, scale: number): string {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(numeric(value)) ?? []
  if (whole === undefined) throw new Misfit('is no decimal number')
  const kept = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
  const unscaled = (fraction[scale] ?? '0') >= '5' ? kept + 1n : kept
  const digits = String(unscaled).padStart(scale + 1, '0')
  if (unscaled >= 10n ** BigInt(precision)) throw new Misfit(`has more than ${precision} digits`)
  return `${sign}${digits.slice(0, digits.length - scale)}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`
}

const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?:(Z)|([+-])(\d\d):?(\d\d))?$/i

/** ISO 8601, or `yyyy-MM-dd HH:mm:ss`, or epoch seconds or milliseconds; in UTC where no offset is given. */
export function fitTimestamp(value: unknown): string {
  if (value instanceof JsonNumber) return fromEpoch(Number(value.source))
  const match = typeof value === 'string' ? TIMESTAMP.exec(value) : null
  if (match === null) throw new Misfit('is no timestamp')
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', , sign, hours, minutes] =
    match
  const at = calendar(year!, month!, day!, Number(hour), Number(minute), Number(second))
  const offset = sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  const shown = new Date(at - offset * 60_000).toISOString()
  return `${shown.slice(0, 10)} ${shown.slice(11, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}`
}

export function fitDate(value: unknown): string {
  const [, year, month, day] = (typeof value === 'string' && /^(\d{4})-(\d\d)-(\d\d)$/.exec(value)) || []
  if (year === undefined) throw new Misfit('is no date')
  calendar(year, month!, day!, 0, 0, 0)
  return value as string
}

function numeric(value: unknown): string {
  if (value instanceof JsonNumber) return value.source
  if (typeof value === 'string') return value
  throw new Misfit('is no number')
}

/** Above this, a number is one of milliseconds: as seconds it would be in the year 5138. */
const LEAST_MILLISECONDS = 1e11

function fromEpoch(epoch: number): string {
  const date = new Date(Math.abs(epoch) < LEAST_MILLISECONDS ? Math.round(epoch * 1000) : epoch)
  const year = date.getUTCFullYear()
  if (!(year >= 0 && year <= 9999)) throw new Misfit('is no timestamp')
  return date.toISOString().slice(0, 23).replace('T', ' ')
}

function calendar(
  year: string,
  month: string,
  day: string,
  hour: number,
  minute: number,
  second: number,
): number {
  const at = new Date(0)
  at.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  at.setUTCHours(hour, minute, second)
  const isReal = at.getUTCMonth() === Number(month) - 1 && at.getUTCDate() === Number(day)
  if (!isReal || hour > 23 || minute > 59 || second > 59)
    throw new Misfit('is no day or time of the calendar')
  return at.getTime()
}
