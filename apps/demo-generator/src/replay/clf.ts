/** A request as web servers log it, in common or combined log format. */
export interface LoggedRequest {
  host: string
  ident: string
  user: string
  /** RFC 3339. */
  time: string
  method: string
  path: string
  protocol: string
  status: number
  /** `-` is 0: nothing was sent. */
  bytes: number
  referrer?: string
  agent?: string
}

/** For those who name fields of it. */
export const LOGGED_FIELDS = [
  'host',
  'ident',
  'user',
  'time',
  'method',
  'path',
  'protocol',
  'status',
  'bytes',
  'referrer',
  'agent',
] as const satisfies readonly (keyof LoggedRequest)[]

// Quotes inside a quoted field are escaped by a backslash; the last two fields belong to the combined format alone.
// The very last quote may be missing: servers cut off what a client sends without end.
const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"'
const LINE = new RegExp(
  `^(\\S+) (\\S+) (.+?) \\[([^\\]]+)\\] ${QUOTED} (\\d{3}) (\\d+|-)(?: ${QUOTED}(?: ${QUOTED}?)?)?\\s*$`,
)
const TIME = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Reads one line, or gives undefined where it is none. */
export function parseLogLine(line: string): LoggedRequest | undefined {
  const match = LINE.exec(line)
  if (match === null) return undefined
  const [, host, ident, user, loggedTime, request, status, bytes, referrer, agent] = match
  const time = parseTime(loggedTime!)
  if (time === undefined) return undefined
  // Anything can stand where the request line should: what is missing of it stays empty.
  const [method = '', path = '', protocol = ''] = unescapeQuoted(request!).split(' ')
  return {
    host: host!,
    ident: ident!,
    user: user!,
    time,
    method,
    path,
    protocol,
    status: Number(status),
    bytes: bytes === '-' ? 0 : Number(bytes),
    ...(referrer === undefined ? {} : { referrer: unescapeQuoted(referrer) }),
    ...(agent === undefined ? {} : { agent: unescapeQuoted(agent) }),
  }
}

function parseTime(text: string): string | undefined {
  const match = TIME.exec(text)
  if (match === null) return undefined
  const [, day, monthName, year, time, offsetHours, offsetMinutes] = match
  const month = MONTHS.indexOf(monthName!) + 1
  if (month === 0) return undefined
  return `${year}-${String(month).padStart(2, '0')}-${day}T${time}${offsetHours}:${offsetMinutes}`
}

function unescapeQuoted(text: string): string {
  return text.replace(/\\(["\\])/g, '$1')
}
