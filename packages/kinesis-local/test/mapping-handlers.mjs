/** Handlers of the mapping's tests: what they see is appended to the file named in the environment, a JSON line an invocation. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'

const file = process.env.SEEN_FILE

function see(event) {
  const records = event.Records.map((record) => ({
    key: record.kinesis.partitionKey,
    data: Buffer.from(record.kinesis.data, 'base64').toString(),
    sequenceNumber: record.kinesis.sequenceNumber,
    shard: record.eventID.split(':')[0],
  }))
  const { Records, ...rest } = event
  appendFileSync(file, `${JSON.stringify({ records, ...rest })}\n`)
  return records
}

export const collect = async (event) => {
  see(event)
}

/** Throws on every batch that holds `bad`. */
export const failOnBad = async (event) => {
  if (see(event).some(({ data }) => data === 'bad')) throw new Error('a bad record')
}

/** Reports the first record that holds `bad`. */
export const reportBad = async (event) => {
  const bad = see(event).find(({ data }) => data === 'bad')
  return { batchItemFailures: bad === undefined ? [] : [{ itemIdentifier: bad.sequenceNumber }] }
}

export const alwaysFail = async (event) => {
  see(event)
  throw new Error('never')
}

/** Counts per key in the window's state. */
export const countInWindow = async (event) => {
  see(event)
  const state = { ...event.state }
  for (const { kinesis } of event.Records)
    state[kinesis.partitionKey] = (state[kinesis.partitionKey] ?? 0) + 1
  return { state }
}

/** Dies once, in the middle of its first batch. */
export const dieOnce = async (event) => {
  see(event)
  const marker = `${file}.died`
  if (existsSync(marker)) return
  appendFileSync(marker, readFileSync(file))
  process.exit(1)
}
