import { setTimeout as sleep } from 'node:timers/promises'
import type { KinesisProducer } from '@org/kinesis-producer'

/** Lets a producer get to know the stream, with one record, which need not have been answered by then. */
export async function acquaint(producer: KinesisProducer): Promise<void> {
  producer.enqueue({ partitionKey: 'first', data: 'first' })
  await producer.ready()
  while (producer.stats().shards === 0) await sleep(20)
}
