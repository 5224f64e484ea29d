import type { Random } from '@org/kinesis-core'
import { z } from 'zod'

export const EVENT_TYPES = [
  'page_view',
  'click',
  'purchase',
  'login',
  'logout',
  'search',
  'add_to_cart',
  'checkout',
  'review',
  'share',
] as const

/** What the generator makes. */
export interface UserEvent {
  event_id: string
  /** ISO 8601 in UTC. */
  timestamp: string
  /** `user_0001` to `user_1000`. */
  user_id: string
  event_type: (typeof EVENT_TYPES)[number]
  /** 1.00 to 100.00. */
  value: number
  metadata: { device: string; browser: string; country: string; session_id: string }
}

const USERS = 1_000
const devices = ['desktop', 'mobile', 'tablet']
const browsers = ['chrome', 'firefox', 'safari', 'edge']
const countries = ['JP', 'US', 'UK', 'DE', 'FR']

export function generateUserEvent(random: Random, nowMs: number): UserEvent {
  return {
    event_id: randomUuid(random),
    timestamp: new Date(nowMs).toISOString(),
    user_id: `user_${String(1 + Math.floor(random() * USERS)).padStart(4, '0')}`,
    event_type: pick(EVENT_TYPES, random),
    value: Math.round(100 + random() * 9_900) / 100,
    metadata: {
      device: pick(devices, random),
      browser: pick(browsers, random),
      country: pick(countries, random),
      session_id: randomHex(random, 8),
    },
  }
}

const MAX_TEXT_BYTES = 256

const shortText = (name: string) =>
  z
    .string()
    .refine((text) => text.trim() !== '', `${name} must not be empty`)
    .refine(
      (text) => Buffer.byteLength(text) <= MAX_TEXT_BYTES,
      `${name} must have at most ${MAX_TEXT_BYTES} bytes`,
    )

/** What the processor accepts: wider than what is generated, because real data is. Fields that it does not know are kept. */
export const userEventSchema = z.looseObject({
  event_id: shortText('event_id').optional(),
  timestamp: z
    .string()
    .refine(
      (text) => toSortableInstant(text) !== undefined,
      'timestamp must be a date and time as in RFC 3339',
    )
    .optional(),
  user_id: shortText('user_id'),
  event_type: shortText('event_type'),
  value: z.number().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
})

export type AcceptedEvent = z.infer<typeof userEventSchema>

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/**
 * The instant in UTC with six decimals and `Z`, so that text sorts as time: `2026-01-01T12:00:00+02:00` becomes
 * `2026-01-01T10:00:00.000000Z`. Further decimals are cut off; undefined where the text is no RFC 3339 date and time.
 */
export function toSortableInstant(timestamp: string): string | undefined {
  const match = RFC3339.exec(timestamp)
  if (match === null) return undefined
  const [, date, minute, second, fraction = '', sign, offsetHours, offsetMinutes] = match
  const isLeapSecond = second === '60'
  const local = new Date(`${date}T${minute}:${isLeapSecond ? '59' : second}Z`)
  // Date rolls 31 February over into March; what comes back must be what went in.
  if (Number.isNaN(local.getTime()) || !local.toISOString().startsWith(`${date}T${minute}`)) return undefined
  if (Number(offsetHours ?? 0) > 23 || Number(offsetMinutes ?? 0) > 59) return undefined
  const offsetMs =
    (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * 60_000 * (sign === '-' ? -1 : 1)
  const utc = new Date(local.getTime() - offsetMs + (isLeapSecond ? 1_000 : 0))
  if (utc.getUTCFullYear() < 0 || utc.getUTCFullYear() > 9_999) return undefined
  return `${utc.toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`
}

export function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)]!
}

function randomHex(random: Random, digits: number): string {
  let text = ''
  while (text.length < digits) text += Math.floor(random() * 16).toString(16)
  return text
}

/** A version 4 UUID from the given numbers, so that a seed repeats it. */
function randomUuid(random: Random): string {
  const hex = randomHex(random, 30)
  const variant = pick(['8', '9', 'a', 'b'], random)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-${variant}${hex.slice(15, 18)}-${hex.slice(18, 30)}`
}
