import { KinesisClient, type KinesisClientConfig, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { inputOf } from './events.ts'
import { clientOptions, inParallel, type Side, STREAM, type Target } from './side.ts'

const RECORDS_IN_A_CALL = 500

/** What the tutorial does: the SDK as it comes, one call after the other. */
export function naiveSide(target: Target): Side {
  return sdkSide(target, 1, {})
}

/** What one gets from the SDK with its own means: connections that are kept, and eight calls at a time. */
export function tunedSide(target: Target): Side {
  const agent = { keepAlive: true, maxSockets: 8 }
  return sdkSide(target, 8, { requestHandler: new NodeHttpHandler({ httpsAgent: agent }) })
}

function sdkSide(target: Target, width: number, config: KinesisClientConfig): Side {
  const client = new KinesisClient({ ...clientOptions(target), ...config })
  return {
    async put(records) {
      let next = 0
      await inParallel(width, async () => {
        if (next >= records) return false
        const from = next
        next = Math.min(records, from + RECORDS_IN_A_CALL)
        await putRecords(client, from, next)
        return true
      })
      return records
    },
  }
}

async function putRecords(client: KinesisClient, from: number, to: number): Promise<void> {
  const Records = []
  for (let index = from; index < to; index++) {
    const { partitionKey, event } = inputOf(index)
    Records.push({ Data: Buffer.from(JSON.stringify(event)), PartitionKey: partitionKey })
  }
  const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName: STREAM, Records }))
  if (FailedRecordCount !== 0) throw new Error(`${FailedRecordCount} records failed.`)
}
