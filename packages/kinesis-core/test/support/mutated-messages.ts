import { encodeAggregate } from '@org/kinesis-core'
import fc from 'fast-check'
import { messageOf, nestedFields, userRecord } from './containers.js'

type Mutation = (message: Buffer) => Buffer

/** Messages of real aggregates, damaged in one to four ways. */
export function mutatedMessages(): fc.Arbitrary<Buffer> {
  const mutation = fc.oneof(bitFlip, truncation, removal, repetition, allFieldsTwice, insertion, addition)
  return fc
    .tuple(
      fc.array(userRecord, { minLength: 1, maxLength: 8 }),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
    )
    .map(([records, mutations]) =>
      mutations.reduce((message, mutate) => mutate(message), messageOf(encodeAggregate(records))),
    )
}

/** Taken modulo the length of the message. */
const place = fc.nat({ max: 0xffff })
const fewBytes = fc.integer({ min: 1, max: 60 })

const bitFlip = fc.tuple(place, fc.nat({ max: 7 })).map(
  ([at, bit]): Mutation =>
    (message) => {
      if (message.length === 0) return message
      const flipped = Buffer.from(message)
      flipped[at % flipped.length]! ^= 1 << bit
      return flipped
    },
)

const truncation = place.map(
  (at): Mutation =>
    (message) =>
      message.subarray(0, at % (message.length + 1)),
)

const removal = fc.tuple(place, fewBytes).map(
  ([at, count]): Mutation =>
    (message) => {
      const start = at % (message.length + 1)
      return splice(message, start, start + count, Buffer.alloc(0))
    },
)

const repetition = fc.tuple(place, fewBytes).map(
  ([at, count]): Mutation =>
    (message) => {
      const start = at % (message.length + 1)
      return splice(message, start, start, message.subarray(start, start + count))
    },
)

const allFieldsTwice: fc.Arbitrary<Mutation> = fc.constant((message) => Buffer.concat([message, message]))

/** More bytes than the ten that protobuf allows, too. */
const giantVarint = fc
  .tuple(fc.uint8Array({ minLength: 4, maxLength: 11 }), fc.nat({ max: 127 }))
  .map(([bytes, last]) => Buffer.from([...bytes.map((byte) => byte | 128), last]))

const nestedUnknownFields = fc.integer({ min: 1, max: 100 }).map(nestedFields)

const unknownGroups = fc
  .integer({ min: 1, max: 90 })
  .map((depth) => Buffer.concat([Buffer.alloc(depth, 0x7b), Buffer.alloc(depth, 0x7c)]))

const insertion = fc
  .tuple(place, fc.oneof(giantVarint, nestedUnknownFields, unknownGroups, fc.uint8Array({ maxLength: 12 })))
  .map(
    ([at, bytes]): Mutation =>
      (message) => {
        const start = at % (message.length + 1)
        return splice(message, start, start, bytes)
      },
  )

/** At the end of the message, where they are fields for certain. */
const addition = fc
  .oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 15 }), giantVarint)
      .map(([number, varint]) => Buffer.concat([Buffer.from([number << 3]), varint])),
    nestedUnknownFields,
    unknownGroups,
  )
  .map(
    (bytes): Mutation =>
      (message) =>
        Buffer.concat([message, bytes]),
  )

function splice(message: Buffer, start: number, end: number, inserted: Uint8Array): Buffer {
  return Buffer.concat([message.subarray(0, start), inserted, message.subarray(end)])
}
