import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anEntry } from '../test/entry-fixture.js'
import { AgeList } from './age-list.js'
import { EntryList } from './entry-list.js'
import { Fifo } from './fifo.js'
import { MinHeap } from './min-heap.js'
import type { PendingEntry } from './pending-entry.js'

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

describe('an entry list', () => {
  it('keeps order, count and bytes through pushes at both ends and removals anywhere', () => {
    const step = fc.record({ kind: fc.constantFrom('back', 'front', 'shift', 'remove'), at: fc.nat() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const list = new EntryList()
        let model: PendingEntry[] = []
        for (const { kind, at } of steps) {
          const entry = anEntry(at)
          if (kind === 'back') {
            list.pushBack(entry)
            model.push(entry)
          } else if (kind === 'front') {
            list.pushFront(entry)
            model.unshift(entry)
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
        for (const entry of model) expect(list.shift()).toBe(entry)
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
        let model = Array.from({ length: 30 }, (_, index) => anEntry(index))
        for (const entry of model) list.push(entry)
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

  it('puts entries in the place of another, in their order', () => {
    const list = new AgeList()
    const [first, second, third, a, b] = [1, 2, 3, 4, 5].map((size) => anEntry(size))
    for (const entry of [first!, second!, third!]) list.push(entry)

    list.insertBefore(second!, [a!, b!])
    list.remove(second!)

    const order: number[] = []
    for (let entry = list.oldest; entry !== undefined; entry = entry.younger) order.push(entry.sizeBytes)
    expect(order).toEqual([1, 4, 5, 3])
    list.remove(first!)
    expect(list.oldest).toBe(a)
  })
})
