import type { ProducerRecord } from '../../src/index.ts'
import type { Draw } from './draw.ts'
import type { Traffic } from './traffic-plan.ts'

const MAX_HASH_KEY = 2n ** 128n - 1n

/** Draws the records of a run, one after the other. Each carries its number, so that it is known wherever it turns up. */
export function recordsOf(traffic: Traffic, maxRecordBytes: number, draw: Draw) {
  const { sizes, largestBytes, keys } = traffic
  const hashKeys = new Map<string, string>()

  const hashKeyFor = (partitionKey: string): string | undefined => {
    if (keys.hashKeys === 'none') return undefined
    if (keys.hashKeys === 'by-record') return draw.chance(0.2) ? undefined : aHashKey(draw)
    const known = hashKeys.get(partitionKey) ?? aHashKey(draw)
    hashKeys.set(partitionKey, known)
    return known
  }
  const aSize = () => {
    const isLarge = sizes === 'large' || sizes === 'huge'
    const most = isLarge && draw.chance(0.7) ? 5_000 : largestBytes
    return isLarge && draw.chance(0.03) ? maxRecordBytes : draw.magnitude(1, most)
  }

  return {
    good(number: number): { record: ProducerRecord; data: Uint8Array } {
      const partitionKey = keyNamed(Math.floor(keys.count * draw.random() ** (1 + keys.skew)), keys.style)
      const explicitHashKey = hashKeyFor(partitionKey)
      const room = maxRecordBytes - Buffer.byteLength(partitionKey)
      const { sent, data } = aPayload(number, Math.min(aSize(), room), room, draw)
      return {
        record: { partitionKey, data: sent, ...(explicitHashKey === undefined ? {} : { explicitHashKey }) },
        data,
      }
    },
    bad(number: number): { record: ProducerRecord; data: Uint8Array } {
      const data = Buffer.from(`r${number}:bad`)
      if (draw.chance(1 / 6)) {
        const tooLarge = Buffer.concat([data, Buffer.alloc(maxRecordBytes)])
        return { record: { partitionKey: 'k', data: tooLarge }, data: tooLarge }
      }
      const record: ProducerRecord = draw.pick<ProducerRecord>([
        { partitionKey: '', data },
        { partitionKey: 'k'.repeat(257), data },
        { partitionKey: 'k', explicitHashKey: String(MAX_HASH_KEY + 1n), data },
        { partitionKey: 'k', explicitHashKey: '-1', data },
        { partitionKey: 'k', data: 7 as unknown as string },
      ])
      return { record, data }
    },
  }
}

function keyNamed(index: number, style: Traffic['keys']['style']): string {
  if (style === 'short') return `k${index}`
  return style === 'long' ? `k${index}-`.padEnd(256, 'x') : `ключ-${index}-🔑`
}

function aHashKey(draw: Draw): string {
  if (draw.chance(0.1)) return draw.pick(['0', String(MAX_HASH_KEY)])
  const words = Array.from({ length: 4 }, () => BigInt(draw.between(0, 0xffff_ffff)))
  return String(words.reduce((sum, word) => (sum << 32n) | word, 0n))
}

/** Text, an object, or bytes in the middle of other bytes: what is sent, and the bytes that it must become. */
function aPayload(
  number: number,
  size: number,
  room: number,
  draw: Draw,
): { sent: Uint8Array | string | object; data: Uint8Array } {
  const form = draw.pick(['object', 'text', 'bytes', 'bytes'])
  if (form === 'object' && size > 40) {
    const sent = { id: `r${number}:`, pad: 'x'.repeat(size - 40) }
    return { sent, data: Buffer.from(JSON.stringify(sent)) }
  }
  const text = `r${number}:`.padEnd(size, 'é')
  const data = Buffer.from(text)
  if (form === 'text' && data.length <= room) return { sent: text, data }
  const cut = Math.max(size, `r${number}:`.length)
  const around = Buffer.concat([Buffer.from('before'), data.subarray(0, cut), Buffer.from('after')])
  return { sent: new Uint8Array(around.buffer, around.byteOffset + 6, cut), data: data.subarray(0, cut) }
}

/** The number that a record of the stream carries; undefined where it is none of ours. */
export function numberOf(data: Uint8Array): number | undefined {
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, 24)).toString('latin1')
  const found = /^(?:\{"id":")?r(\d+):/.exec(head)
  return found === null ? undefined : Number(found[1])
}
