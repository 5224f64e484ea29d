import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { producerTag, readProducerTag } from './producer-tag.js'

describe("a producer's tag", () => {
  it('reads back what was written', () => {
    const producerId = fc.string({ minLength: 1, maxLength: 60 })
    const sequence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(fc.record({ producerId, sequence }, { noNullPrototype: true }), (written) => {
        expect(readProducerTag([{ key: 'other' }, producerTag(written)])).toEqual(written)
      }),
    )
  })

  it.each([
    [],
    [{ key: 'p' }],
    [{ key: 'p', value: 'x' }],
    [{ key: 'p', value: 'x:0' }],
    [{ key: 'q', value: 'x:1' }],
  ])('is none in %j', (...tags) => {
    expect(readProducerTag(tags)).toBeUndefined()
  })

  it('is none with a number that JavaScript cannot hold', () => {
    expect(readProducerTag([{ key: 'p', value: 'x:9007199254740993' }])).toBeUndefined()
  })
})
