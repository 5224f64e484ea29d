import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { startLocal } from '@org/kinesis-local'
import { KinesisMonitor, type KinesisMonitorOptions } from '../../src/index.js'
import { testCredentials } from './scripted-service.js'

type LocalOptions = NonNullable<Parameters<typeof startLocal>[0]>

/** A local stream named `clicks`, clients for it, a monitor of it, and the calls that were made, in order. */
export async function startClicks(options: Omit<LocalOptions, 'onRequest'> & { shards?: number } = {}) {
  const { shards = 2, ...more } = options
  const calls: { service: string; operation: string; number: number; atMs: number }[] = []
  const local = await startLocal({
    streams: [{ name: 'clicks', shards }],
    ...more,
    onRequest: ({ service, operation, number }) =>
      calls.push({ service, operation, number, atMs: performance.now() }),
  })
  const connection = { endpoint: local.url, region: local.region, credentials: testCredentials }
  const kinesis = new KinesisClient(connection)
  const cloudWatch = new CloudWatchClient(connection)
  const monitors: KinesisMonitor[] = []
  return {
    local,
    kinesis,
    cloudWatch,
    connection,
    calls,
    callsTo: (operation: string) => calls.filter((call) => call.operation === operation).length,
    monitor(moreOptions: KinesisMonitorOptions = {}) {
      const monitor = new KinesisMonitor({ ...connection, streamName: 'clicks', ...moreOptions })
      monitors.push(monitor)
      return monitor
    },
    /** Writes one record per value, under its key. */
    async put(values: readonly { key: string; value: string }[]) {
      for (let index = 0; index < values.length; index += 500) {
        const result = await kinesis.send(
          new PutRecordsCommand({
            StreamName: 'clicks',
            Records: values
              .slice(index, index + 500)
              .map(({ key, value }) => ({ PartitionKey: key, Data: Buffer.from(value) })),
          }),
        )
        if (result.FailedRecordCount !== 0) throw new Error(`${result.FailedRecordCount} records failed`)
      }
    },
    async [Symbol.asyncDispose]() {
      for (const monitor of monitors) monitor.close()
      kinesis.destroy()
      cloudWatch.destroy()
      await local.close()
    },
  }
}

export const text = (data: Uint8Array) => Buffer.from(data).toString()
