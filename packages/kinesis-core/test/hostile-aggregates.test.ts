import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { decodeAggregate, encodeAggregate } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { containerOf, field, messageOf, nestedFields } from './support/containers.js'
import { mutatedMessages } from './support/mutated-messages.js'

const MIB = 1 << 20
const MAX_CPU_MS = 10_000
const MAX_HEAP_MIB = 96
const LEAST_MEMBER = '1a0408001a00'
const BYTES_OF_LEAST_MEMBER = 6

/** `hex` over and over. */
const repeated = (hex: string, bytes = MIB) => {
  const unit = Buffer.from(hex, 'hex')
  return Buffer.alloc(Math.floor(bytes / unit.length) * unit.length, unit)
}
const key = Buffer.from('0a0161', 'hex')
const recordOf = (...parts: Buffer[]) => field(3, Buffer.concat(parts))

describe('decodeAggregate on damaged and hostile messages under a right MD5', () => {
  it('never throws, gives views of the container and no more members than fit into it', () => {
    fc.assert(
      fc.property(mutatedMessages(), (message) => {
        const container = containerOf(message)
        const decoded = decodeAggregate(container)

        expect(['aggregated', 'corrupt']).toContain(decoded.kind)
        if (decoded.kind !== 'aggregated') return
        expect(decoded.records.length).toBeLessThanOrEqual(message.length / BYTES_OF_LEAST_MEMBER)
        for (const { data } of decoded.records) expect(data.buffer).toBe(container.buffer)
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['members of six bytes', [key, repeated(LEAST_MEMBER)], 174_762],
    ['members with a tag each', [key, repeated('1a0808001a0022020a00')], 104_857],
    [
      'members that share a key of half a mebibyte',
      [field(1, repeated('61', MIB / 2)), repeated(LEAST_MEMBER, MIB / 2)],
      87_381,
    ],
    ['keys of no byte', [repeated('0a00')], 0],
    [
      'a member with a quarter of a million tags',
      [key, recordOf(Buffer.from('08001a00', 'hex'), repeated('22020a00'))],
      1,
    ],
    [
      'a member whose data come half a million times',
      [key, recordOf(Buffer.from('0800', 'hex'), repeated('1a00'))],
      1,
    ],
    ['unknown fields', [repeated('7a00', MIB / 2), repeated('7800', MIB / 2)], 0],
    ['twenty thousand levels of unknown fields', [nestedFields(20_000)], 0],
    [
      'half a million groups, each within the last',
      [repeated('7b', MIB / 2), repeated('7c', MIB / 2)],
      undefined,
    ],
  ])(`reads a mebibyte of %s within ${MAX_HEAP_MIB} MiB and ${MAX_CPU_MS} ms`, async (_, parts, members) => {
    const worker = new Worker(new URL('./support/decode-worker.mjs', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB, maxYoungGenerationSizeMb: 16 },
    })
    try {
      worker.postMessage(containerOf(...parts))
      const [{ count, cpuMs }] = await once(worker, 'message')

      if (members !== undefined) expect(count).toBe(members)
      expect(cpuMs).toBeLessThan(MAX_CPU_MS)
    } finally {
      await worker.terminate()
    }
  })

  it.each([
    ['a key', '0a'],
    ['a member', '1a'],
    ['an unknown field', '7a'],
  ])('allocates nothing for %s that only claims a length', (_, tag) => {
    for (const length of ['ffffffff07', 'ffffffffffff3f', 'ffffffffffffffffff01'])
      expect(decodeAggregate(containerOf(tag, length))).toMatchObject({
        kind: 'corrupt',
        reason: 'a field runs past the end',
      })
  })

  it('takes the last of a field that comes twice, as protobuf asks', () => {
    const member = '1a0e 0801 0800 1a0178 1a0179 22020a00'.replaceAll(' ', '')

    expect(decodeAggregate(containerOf('0a0161', '0a0162', member))).toEqual({
      kind: 'aggregated',
      records: [{ partitionKey: 'a', data: Buffer.from('y'), tags: [{ key: '' }] }],
    })
  })

  it('adds up the members and tables of messages that were joined, as protobuf does', () => {
    const message = messageOf(encodeAggregate([{ partitionKey: 'a', data: Buffer.from('x') }]))

    expect(decodeAggregate(containerOf(message, message))).toMatchObject({
      kind: 'aggregated',
      records: [{ partitionKey: 'a' }, { partitionKey: 'a' }],
    })
  })
})
