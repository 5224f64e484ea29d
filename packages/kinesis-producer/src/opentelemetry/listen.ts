import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { KinesisProducer } from '../kinesis-producer.js'
import type { ProducerChannels } from '../observability/diagnostics-channels.js'

/** Hears what a channel says of one producer, until what it returns is called. */
export function listen<Name extends keyof ProducerChannels>(
  name: Name,
  producer: KinesisProducer,
  hear: (message: ProducerChannels[Name]) => void,
): () => void {
  const listener = (message: unknown) => {
    const said = message as ProducerChannels[Name]
    if (said.producer === producer) hear(said)
  }
  subscribe(name, listener)
  return () => void unsubscribe(name, listener)
}
