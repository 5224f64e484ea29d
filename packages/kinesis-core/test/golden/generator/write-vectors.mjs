import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cases } from './cases.mjs'
import { jarsOf, runJava } from './java.mjs'
import { startRecordingEndpoint } from './recording-endpoint.mjs'

/** Writes ../kpl.json and ../record-aggregator.json anew: `node write-vectors.mjs`. */
const folder = mkdtempSync(join(tmpdir(), 'golden-vectors-'))
try {
  write('record-aggregator', cases.map(withAllHashKeys), await aggregateWithRecordAggregator())
  write('kpl', cases, await aggregateWithKpl())
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function aggregateWithRecordAggregator() {
  const java = runJava(jarsOf('record-aggregator', folder), 'record-aggregator/Aggregate.java')
  const containers = []
  for (const { records } of cases) containers.push(await java.ask(toLine(records)))
  java.end()
  return containers
}

/** KPL keeps its containers to itself, so they are taken from what it sends. */
async function aggregateWithKpl() {
  const endpoint = await startRecordingEndpoint(folder)
  const java = runJava(jarsOf('kpl', folder), 'kpl/Produce.java', endpoint.port, folder)
  const containers = []
  try {
    // A record on its own first: only once KPL knows the stream's shards does it aggregate.
    await java.ask(toLine([{ partitionKey: 'a', explicitHashKey: null, data: '00' }]))
    for (const { name, records } of cases) {
      endpoint.takeData()
      await java.ask(toLine(records))
      const sent = endpoint.takeData()
      if (sent.length !== 1)
        throw new Error(`KPL sent ${sent.length} records instead of one container: ${name}`)
      containers.push(sent[0])
    }
  } finally {
    java.end()
    endpoint.close()
  }
  return containers
}

/** RecordAggregator gives each record the explicit hash key that its partition key has anyway. */
function withAllHashKeys({ name, records }) {
  const md5 = (text) => BigInt(`0x${createHash('md5').update(text).digest('hex')}`).toString()
  return {
    name,
    records: records.map((record) => ({
      ...record,
      explicitHashKey: record.explicitHashKey ?? md5(record.partitionKey),
    })),
  }
}

function toLine(records) {
  const hex = (text) => Buffer.from(text).toString('hex')
  return records
    .map(({ partitionKey, explicitHashKey, data }) => `${hex(partitionKey)}:${explicitHashKey ?? ''}:${data}`)
    .join(' ')
}

function write(name, cases, containers) {
  const vectors = cases.map((each, index) => ({ ...each, encoded: containers[index] }))
  const text = vectors.map((vector) => JSON.stringify(vector)).join(',\n')
  writeFileSync(new URL(`../${name}.json`, import.meta.url), `[\n${text}\n]\n`)
}
