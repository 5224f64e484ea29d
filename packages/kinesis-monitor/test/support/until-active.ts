import { type KinesisClient, waitUntilStreamExists } from '@aws-sdk/client-kinesis'

/** Resolves when the stream takes another change; the SDK's waiter looks again after a tenth of a second here. */
export async function untilActive(client: KinesisClient, streamName: string): Promise<void> {
  await waitUntilStreamExists(
    { client, maxWaitTime: 20, minDelay: 0.1, maxDelay: 0.2 },
    { StreamName: streamName },
  )
}
