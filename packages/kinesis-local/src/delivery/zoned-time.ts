/** A moment as the clocks of a zone show it, with the fields that patterns of timestamps have. */
export interface ZonedTime {
  year: number
  /** From 1. */
  month: number
  day: number
  /** From 0, Sunday. */
  weekday: number
  hour: number
  minute: number
  second: number
  millisecond: number
  millisecondOfDay: number
  offsetMinutes: number
  quarter: number
  dayOfYear: number
  /** The year that the week belongs to: that of its Saturday. */
  weekYear: number
  week: number
  weekOfMonth: number
}

const DAY_MS = 86_400_000

export function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone })
    return true
  } catch {
    return false
  }
}

export function zonedTimes(timeZone: string): (atMs: number) => ZonedTime {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  return (atMs) => {
    const name = format.formatToParts(atMs).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
    return fieldsOf(atMs, offsetMinutes(name))
  }
}

/** `GMT`, or `GMT-03:30`. */
function offsetMinutes(name: string): number {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? []
  return sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

function fieldsOf(atMs: number, offset: number): ZonedTime {
  const local = new Date(atMs + offset * 60_000)
  const year = local.getUTCFullYear()
  const month = local.getUTCMonth() + 1
  const day = local.getUTCDate()
  const weekday = local.getUTCDay()
  const firstOfYear = new Date(Date.UTC(year, 0, 1))
  const dayOfYear = Math.floor((local.getTime() - firstOfYear.getTime()) / DAY_MS) + 1
  const weekYear = new Date(local.getTime() + (6 - weekday) * DAY_MS).getUTCFullYear()
  const hour = local.getUTCHours()
  const minute = local.getUTCMinutes()
  const second = local.getUTCSeconds()
  const millisecond = local.getUTCMilliseconds()
  return {
    year,
    month,
    day,
    weekday,
    hour,
    minute,
    second,
    millisecond,
    millisecondOfDay: ((hour * 60 + minute) * 60 + second) * 1000 + millisecond,
    offsetMinutes: offset,
    quarter: Math.ceil(month / 3),
    dayOfYear,
    weekYear,
    week: weekYear > year ? 1 : Math.floor((dayOfYear - 1 + firstOfYear.getUTCDay()) / 7) + 1,
    weekOfMonth: Math.floor((day - 1 + new Date(Date.UTC(year, month - 1, 1)).getUTCDay()) / 7) + 1,
  }
}
