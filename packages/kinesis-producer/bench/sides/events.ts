import { seededRandom } from '@org/kinesis-core'

const EVENTS = 8_192
const KEYS = 2_000
/** As JSON. */
export const EVENT_BYTES = 305

export interface Event {
  event_id: string
  timestamp: string
  user_id: string
  event_type: string
  value: number
  metadata: { device: string; browser: string; country: string; session_id: string }
}

/** The same event as the callers of the sides have it. */
export interface Input {
  partitionKey: string
  event: Event
  text: string
  bytes: Buffer
}

const EVENT_TYPES = ['page_view', 'click', 'purchase', 'login', 'logout', 'search', 'add_to_cart', 'share']
const DEVICES = ['mobile', 'desktop', 'tablet']
const BROWSERS = ['chrome', 'firefox', 'safari', 'edge']
const COUNTRIES = ['US', 'JP', 'DE', 'GB', 'BR', 'IN']

const inputs = makeInputs()

/** The input of record `index`: 8,192 distinct events of 2,000 keys, the same in every run, again and again. */
export function inputOf(index: number): Input {
  return inputs[index % EVENTS]!
}

/** Every distinct input once. */
export function distinctInputs(): readonly Input[] {
  return inputs
}

function makeInputs(): Input[] {
  const random = seededRandom(305)
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('')
  return Array.from({ length: EVENTS }, (_, index) => {
    const event: Event = {
      event_id: `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
      timestamp: new Date(1_760_000_000_000 + index * 37).toISOString(),
      user_id: `user_${String(1 + (index % KEYS)).padStart(4, '0')}`,
      event_type: pick(EVENT_TYPES),
      value: Math.round(100 + random() * 9_900) / 100,
      metadata: { device: pick(DEVICES), browser: pick(BROWSERS), country: pick(COUNTRIES), session_id: '' },
    }
    event.metadata.session_id = hex(EVENT_BYTES - JSON.stringify(event).length)
    const text = JSON.stringify(event)
    return { partitionKey: event.user_id, event, text, bytes: Buffer.from(text) }
  })
}
