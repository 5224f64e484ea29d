import { createHash } from 'node:crypto'
import type { UserRecord } from '@org/kinesis-core'
import fc from 'fast-check'

const MAGIC = Buffer.from('f3899ac2', 'hex')

/** A container with a right MD5 around the message that `parts` make, which need not be one of the format's. */
export function containerOf(...parts: (Uint8Array | string)[]): Buffer {
  const message = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)),
  )
  return Buffer.concat([MAGIC, message, createHash('md5').update(message).digest()])
}

export function messageOf(container: Uint8Array): Buffer {
  return Buffer.from(container.subarray(MAGIC.length, -16))
}

/** A length-delimited field with a number below 16. */
export function field(number: number, content: Uint8Array): Buffer {
  const head = [(number << 3) | 2]
  let rest = content.byteLength
  for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128)
  return Buffer.concat([Buffer.from([...head, rest]), content])
}

/** Fields that the format does not know, one in the other. */
export function nestedFields(depth: number): Buffer {
  let nested: Buffer = Buffer.alloc(0)
  for (let level = 0; level < depth; level++) nested = field(15, nested)
  return nested
}

export const userRecord: fc.Arbitrary<UserRecord> = fc.record(
  {
    partitionKey: fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
    explicitHashKey: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(String),
    data: fc.uint8Array({ maxLength: 300 }),
    tags: fc.array(fc.record({ key: fc.string(), value: fc.string() }, { requiredKeys: ['key'] }), {
      maxLength: 3,
    }),
  },
  { requiredKeys: ['partitionKey', 'data'] },
)
