import { randomUUID } from 'node:crypto'
import { type FailureDocument, failureObjectKey } from '@org/kinesis-core/event-source-mapping'
import { writeDurably } from '../delivery/durable-file.js'

/** A folder that stands for the S3 bucket of a failure destination; S3's names, with `.json` behind them. */
export class FailureDestination {
  #folder: string
  #mappingId: string

  constructor(folder: string, mappingId: string) {
    this.#folder = folder
    this.#mappingId = mappingId
  }

  async write(shardId: string, document: FailureDocument): Promise<void> {
    const key = failureObjectKey(this.#mappingId, shardId, Date.parse(document.timestamp), randomUUID())
    await writeDurably(this.#folder, `${key}.json`, Buffer.from(`${JSON.stringify(document, null, 2)}\n`))
  }
}
