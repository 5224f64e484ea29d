import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AgeList } from './age-list.js'
import { Fifo } from './fifo.js'
import { MinHeap } from './min-heap.js'
import { PendingRecord } from './pending-record.js'
import { RecordList } from './record-list.js'

const aRecord = (sizeBytes: number) =>
  new PendingRecord(
    { partitionKey: 'k', explicitHashKey: undefined, data: new Uint8Array(), sizeBytes },
    0,
    1_000,
    () => {},
    () => {},
  )

describe('a fifo', () => {
  it('gives back what was pushed, in order, through any growth and wrap', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 200 }), (steps) => {
        const fifo = new Fifo<number>()
        const model: number[] = []
        for (const step of steps) {
          if (step === undefined) expect(fifo.shift()).toBe(model.shift())
          else {
            fifo.push(step)
            model.push(step)
          }
          expect(fifo.length).toBe(model.length)
          expect(fifo.peek()).toBe(model[0])
        }
      }),
    )
  })
})

describe('a min heap', () => {
  it('gives back the least first', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(50), { nil: undefined }), { maxLength: 100 }), (steps) => {
        const heap = new MinHeap<{ at: number }>()
        const model: number[] = []
        for (const step of steps) {
          if (step === undefined) expect(heap.pop()?.at).toBe(model.shift())
          else {
            heap.push({ at: step })
            model.push(step)
            model.sort((a, b) => a - b)
          }
          expect(heap.peek()?.at).toBe(model[0])
        }
      }),
    )
  })
})

describe('a record list', () => {
  it('keeps order, count and bytes through pushes at both ends and removals anywhere', () => {
    const step = fc.record({ kind: fc.constantFrom('back', 'front', 'shift', 'remove'), at: fc.nat() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const list = new RecordList()
        let model: PendingRecord[] = []
        for (const { kind, at } of steps) {
          const record = aRecord(at)
          if (kind === 'back') {
            list.pushBack(record)
            model.push(record)
          } else if (kind === 'front') {
            list.pushFront(record)
            model.unshift(record)
          } else if (kind === 'shift') expect(list.shift()).toBe(model.shift())
          else if (model.length > 0) {
            const removed = model[at % model.length]!
            list.remove(removed)
            model = model.filter((other) => other !== removed)
          }
          expect(list.head).toBe(model[0])
          expect(list.count).toBe(model.length)
          expect(list.sizeBytes).toBe(model.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
        }
        for (const record of model) expect(list.shift()).toBe(record)
        expect(list.shift()).toBeUndefined()
      }),
    )
  })
})

describe('an age list', () => {
  it('always knows the oldest, and takes a second removal for none', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 60 }), (removals) => {
        const list = new AgeList()
        let model = Array.from({ length: 30 }, (_, index) => aRecord(index))
        for (const record of model) list.push(record)
        for (const at of removals) {
          if (model.length === 0) break
          const removed = model[at % model.length]!
          list.remove(removed)
          list.remove(removed)
          model = model.filter((other) => other !== removed)
          expect(list.oldest).toBe(model[0])
        }
      }),
    )
  })
})
