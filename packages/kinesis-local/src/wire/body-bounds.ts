/** Of a whole request. Above any that the services take: 10 MiB of records in base64, with keys and JSON around them. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024

/** Clients compress metrics alone, of which PutMetricData takes 1 MB (API reference); what is above this is no metrics. */
export const MAX_UNPACKED_BYTES = 8 * 1024 * 1024

/**
 * Of one body. A byte can make a value of a hundred, so that the bound of bytes alone lets one request fill the heap. A PutMetricData as
 * large as it may be has about 400,000.
 */
export const MAX_BODY_VALUES = 500_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const BRACKET = 0x5b
const BRACE = 0x7b

/** Whether JSON has more than `MAX_BODY_VALUES` values, keys among them, without reading it: what follows a comma, `[` or `{` is one. */
export function hasTooManyValues(json: Buffer): boolean {
  // Each takes two bytes at least: most requests need not be looked at.
  if (json.length < 2 * MAX_BODY_VALUES) return false
  let values = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) at = endOfText(json, at)
    else if (byte !== COMMA && byte !== BRACKET && byte !== BRACE) continue
    values += 1
    if (values > MAX_BODY_VALUES) return true
  }
  return false
}

/** Where text that begins at `start` has its last quote. */
function endOfText(json: Buffer, start: number): number {
  // Data in base64 is most of a large request, and has no escapes: the end is the next quote, which is found natively.
  const next = json.indexOf(QUOTE, start + 1)
  if (next === -1) return json.length
  if (json[next - 1] !== BACKSLASH) return next
  let at = start + 1
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at
}
