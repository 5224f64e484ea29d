import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instantClock } from '../handler-fixture.js'
import { fileRejectedSink } from './file-rejected-sink.js'
import { fileRejectedSource } from './file-rejected-source.js'
import { aRejectedRecord } from './rejected-fixture.js'
import type { RejectedSource } from './rejected-source.js'
import { replayRejected } from './replay-rejected.js'

/** What becomes of a put: done; not done; done, with an answer that is lost. */
const fates = fc.constantFrom('put', 'put', 'put', 'put', 'failed', 'lost answer')

it('loses nothing, keeps the order of each key, and doubles only what it could not know or take away', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 25 }),
      fc.array(fates, { minLength: 60, maxLength: 60 }),
      fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
      fc.record({
        maxWindowRecords: fc.integer({ min: 1, max: 30 }),
        maxConcurrency: fc.integer({ min: 1, max: 4 }),
      }),
      fc.nat({ max: 40 }),
      async (keys, fateOfPut, removalFails, limits, stopAfter) => {
        const folder = await mkdtemp(join(tmpdir(), 'kinesis-processor-'))
        try {
          const names = keys.map((key, n) => `${key}${n}`)
          const records = names.map((name, n) =>
            aRejectedRecord({ sequenceNumber: `${n}`, partitionKey: name[0]!, data: name }),
          )
          await fileRejectedSink({ folder }).write(records, { remainingMs: () => 1_000 })
          const file = fileRejectedSource({ file: join(folder, 'rejected.ndjson') })
          const inFile = async () => {
            const found: string[] = []
            for await (const { record } of file.entries())
              found.push(Buffer.from(record!.payload, 'base64').toString())
            return found
          }
          const stream: string[] = []
          let puts = 0
          let removals = 0
          let mayDouble = false
          const source: RejectedSource = {
            ...file,
            remove(entries) {
              if (!removalFails[removals++]) return file.remove(entries as never)
              mayDouble = true
              return Promise.reject(new Error('not taken away'))
            },
          }

          // Faults come to an end, and a replay without one leaves nothing.
          for (let round = 0; round < 100 && (await inFile()).length > 0; round++) {
            const controller = new AbortController()
            const report = await replayRejected({
              source,
              destination: {
                async put({ data }) {
                  const fate = fateOfPut[puts++] ?? 'put'
                  if (puts === stopAfter) controller.abort()
                  await Promise.resolve()
                  if (fate !== 'failed') stream.push(Buffer.from(data).toString())
                  if (fate === 'lost answer') mayDouble = true
                  if (fate !== 'put') throw new Error(fate)
                },
              },
              clock: instantClock(),
              choose: { rejectedBeforeMs: 1 },
              signal: controller.signal,
              ...limits,
            })

            const left = await inFile()
            expect(new Set([...stream, ...left])).toEqual(new Set(names))
            if (report.stopped === undefined)
              expect(left).toHaveLength(report.failed + report.heldBack + report.notRemoved)
          }

          expect(await inFile()).toEqual([])
          const first = [...new Set(stream)]
          for (const key of ['a', 'b', 'c']) {
            expect(first.filter((name) => name.startsWith(key))).toEqual(
              names.filter((name) => name.startsWith(key)),
            )
          }
          if (!mayDouble) expect(stream).toHaveLength(names.length)
        } finally {
          await rm(folder, { recursive: true })
        }
      },
    ),
    { numRuns: 60 },
  )
})
