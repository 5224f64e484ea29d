import { Writable } from 'node:stream'
import { WritableStream } from 'node:stream/web'
import { type RecordTaker, RecordTally } from './put-all.js'
import type { ProducerRecord } from './record-input.js'

/**
 * A Node.js stream in object mode whose chunks are records; takes them no faster than the producer has room. It finishes when all its records
 * have settled, and with the first error where one could not be put or was not delivered. The producer stays open.
 */
export function toWritable(producer: RecordTaker): Writable {
  const tally = new RecordTally(producer)
  const end = async () => {
    const { firstError } = await tally.settled()
    if (firstError !== undefined) throw firstError
  }
  return new Writable({
    objectMode: true,
    write(record: ProducerRecord, _encoding, done) {
      try {
        const room = tally.put(record)
        if (room === undefined) done()
        else room.then(() => done(), done)
      } catch (error) {
        done(error as Error)
      }
    },
    final(done) {
      end().then(() => done(), done)
    },
  })
}

/** As `toWritable`, for the streams of the web platform: `readable.pipeTo(toWritableStream(producer))`. */
export function toWritableStream(producer: RecordTaker): WritableStream<ProducerRecord> {
  const tally = new RecordTally(producer)
  return new WritableStream<ProducerRecord>({
    write: (record) => tally.put(record),
    async close() {
      const { firstError } = await tally.settled()
      if (firstError !== undefined) throw firstError
    },
  })
}
