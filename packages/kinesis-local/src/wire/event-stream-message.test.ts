import { EventStreamCodec } from '@smithy/core/event-streams'
import { fromUtf8, toUtf8 } from '@smithy/core/serde'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { eventStreamMessage } from './event-stream-message.js'

it('is read by the codec of the SDK, whatever its headers and payload, checksums and all', () => {
  const codec = new EventStreamCodec(toUtf8, fromUtf8)
  const headers = fc.dictionary(
    // Not `__proto__`, which the codec of the SDK loses.
    fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' }).filter((name) => name !== '__proto__'),
    fc.string(),
  )

  fc.assert(
    fc.property(headers, fc.uint8Array({ maxLength: 500 }), (given, payload) => {
      const message = eventStreamMessage(given, Buffer.from(payload))
      const expected = Object.fromEntries(
        Object.entries(given).map(([name, value]) => [name, { type: 'string' as const, value }]),
      )

      const { headers: read, body } = codec.decode(message)
      expect(read).toEqual(expected)
      expect(Buffer.from(body)).toEqual(Buffer.from(payload))
      expect(message).toEqual(Buffer.from(codec.encode({ headers: expected, body: payload })))
    }),
  )
})
