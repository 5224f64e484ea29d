import { describe, expect, it } from 'vitest'
import {
  type DamagedRange,
  decodeHeader,
  encodeHeader,
  FRAME_HEADER_BYTES,
  HEADER_BYTES,
  readFrames,
  sealFrame,
} from './segment-format.js'

const salt = 0x1122_3344
const header = { kind: 'records' as const, salt, first: 7, previous: { first: 2, count: 5 } }

function aFrame(text: string, index: number, of = salt): Buffer {
  const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), Buffer.from(text)])
  sealFrame(frame, frame.length, of, index)
  return frame
}

function read(...parts: Buffer[]): { texts: string[]; damage: DamagedRange[] } {
  const damage: DamagedRange[] = []
  const frames = [...readFrames(Buffer.concat([encodeHeader(header), ...parts]), salt, damage)]
  return { texts: frames.map(({ payload }) => payload.toString()), damage }
}

describe('the format of a segment', () => {
  it('is the one that is documented, byte by byte', () => {
    expect(encodeHeader(header).toString('hex')).toBe(
      '6b696e73706f6f6c' +
        '01' +
        '01' +
        '0000' +
        '44332211' +
        '0700000000000000' +
        '0200000000000000' +
        '05000000' +
        '37e487dd',
    )
    expect(aFrame('abc', 9).toString('hex')).toBe(
      '44332211' + '28c2db54' + '03000000' + '09000000' + '616263',
    )
  })

  it('has a header that is read again, and whose damage shows', () => {
    const bytes = encodeHeader(header)
    expect(decodeHeader(bytes, 'records')).toEqual(header)
    expect(decodeHeader(encodeHeader({ ...header, previous: undefined }), 'records')).toEqual({
      ...header,
      previous: undefined,
    })
    expect(decodeHeader(bytes, 'settled')).toBe('damaged')
    expect(decodeHeader(bytes.subarray(1), 'records')).toBe('damaged')
    for (let at = 0; at < HEADER_BYTES; at++) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 0x10
      expect(decodeHeader(damaged, 'records')).toBe('damaged')
    }
  })

  it('has frames that are read in order, with any bytes in them', () => {
    expect(read(aFrame('one', 0), aFrame('\0', 1), aFrame('three', 2))).toEqual({
      texts: ['one', '\0', 'three'],
      damage: [],
    })
  })
})

describe('reading a damaged file', () => {
  const frames = [aFrame('one', 0), aFrame('two', 1), aFrame('three', 2)] as const
  const [one, two, three] = frames

  it('goes on behind a frame with a bad checksum', () => {
    const damaged = Buffer.from(two)
    damaged[two.length - 1]! ^= 1
    expect(read(one, damaged, three)).toEqual({
      texts: ['one', 'three'],
      damage: [{ offset: HEADER_BYTES + one.length, bytes: two.length, reason: 'bad-checksum' }],
    })
  })

  it('finds the next frame where a length is damaged, whatever it says', () => {
    for (const length of [0, 1, 1_000, 0xffff_ffff]) {
      const damaged = Buffer.from(two)
      damaged.writeUInt32LE(length, 8)
      const { texts, damage } = read(one, damaged, three)
      expect(texts).toEqual(['one', 'three'])
      expect(damage).toMatchObject([{ offset: HEADER_BYTES + one.length, bytes: two.length }])
    }
  })

  it('tells an end that is torn, or that was never written, from damage', () => {
    expect(read(one, two.subarray(0, -1)).damage).toMatchObject([
      { bytes: two.length - 1, reason: 'incomplete' },
    ])
    expect(read(one, two.subarray(0, 2)).damage).toMatchObject([{ bytes: 2, reason: 'incomplete' }])
    expect(read(one, Buffer.alloc(5_000)).damage).toMatchObject([{ bytes: 5_000, reason: 'incomplete' }])
    expect(read(one, Buffer.from('garbage')).damage).toMatchObject([{ bytes: 7, reason: 'bad-frame' }])
    expect(read(one, Buffer.alloc(50), three).damage).toMatchObject([{ bytes: 50, reason: 'bad-frame' }])
  })

  it('takes no frame for one that stands in the data of another, nor one of another segment', () => {
    const inner = aFrame('inner', 5, 0x5566_7788)
    const outer = aFrame(`>${inner.toString('latin1')}`, 1)
    outer.writeUInt32LE(0xffff_ffff, 8)
    expect(read(one, outer, three).texts).toEqual(['one', 'three'])
  })

  it('takes no frame twice, and none whose number cannot be', () => {
    expect(read(one, two, two, three).texts).toEqual(['one', 'two', 'three'])
    expect(read(one, aFrame('far', 0xffff_ffff), three).texts).toEqual(['one', 'three'])
  })

  it('takes time that grows with the file, not with its square', () => {
    const damaged = Array.from({ length: 50_000 }, (_, index) => {
      const frame = aFrame('x'.repeat(300), index)
      frame[20]! ^= 1
      return frame
    })
    const started = performance.now()
    expect(read(...damaged).texts).toEqual([])
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})
