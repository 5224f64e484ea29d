import {
  DeleteStreamCommand,
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  ListStreamConsumersCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
} from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import { FIRST_SHARD, outcome, type ServiceUnderTest } from '../service-under-test.js'

const registering = 'API reference, RegisterStreamConsumer'

/** A stream with consumers that are ACTIVE. */
async function consumed(service: ServiceUnderTest, ...names: string[]) {
  const StreamName = await service.aStream()
  const StreamARN = await service.arnOf(StreamName)
  for (const ConsumerName of names) {
    await service.client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName }))
    await service.until(async () => {
      const { ConsumerDescription } = await describe(service, StreamARN, ConsumerName)
      return ConsumerDescription?.ConsumerStatus === 'ACTIVE'
    })
  }
  return { StreamName, StreamARN }
}

function describe(service: ServiceUnderTest, StreamARN: string, ConsumerName: string) {
  return service.client.send(new DescribeStreamConsumerCommand({ StreamARN, ConsumerName }))
}

export const consumerScenarios: readonly Scenario[] = [
  {
    name: 'registers a consumer with an ARN below that of its stream',
    document: registering,
    async ask(service) {
      const { StreamARN } = await consumed(service, 'fan-out')
      const { ConsumerDescription: consumer } = await describe(service, StreamARN, 'fan-out')
      return [
        consumer?.ConsumerName,
        consumer?.StreamARN === StreamARN,
        consumer?.ConsumerARN?.replace(StreamARN, '').replace(/\d+$/, 'N'),
      ]
    },
    expected: ['fan-out', true, '/consumer/fan-out:N'],
  },
  {
    name: 'refuses to register a consumer twice',
    document: registering,
    async ask(service) {
      const { StreamARN } = await consumed(service, 'fan-out')
      return outcome(
        service.client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'fan-out' })),
      )
    },
    expected: 'ResourceInUseException 400',
  },
  {
    name: 'counts the consumers of a stream',
    document: 'API reference, StreamDescriptionSummary',
    async ask(service) {
      const { StreamName } = await consumed(service, 'one', 'two')
      const { StreamDescriptionSummary } = await service.client.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      )
      return StreamDescriptionSummary?.ConsumerCount
    },
    expected: 2,
  },
  {
    name: 'lists consumers page by page, with a token until the last',
    document: 'API reference, ListStreamConsumers',
    async ask(service) {
      const { StreamARN } = await consumed(service, 'a', 'b', 'c')
      const names: (string | undefined)[] = []
      let NextToken: string | undefined
      let pages = 0
      do {
        const page = await service.client.send(
          new ListStreamConsumersCommand({ StreamARN, MaxResults: 2, NextToken }),
        )
        names.push(...(page.Consumers ?? []).map(({ ConsumerName }) => ConsumerName))
        NextToken = page.NextToken
        pages++
      } while (NextToken !== undefined && pages < 5)
      return { names: names.sort(), pages }
    },
    expected: { names: ['a', 'b', 'c'], pages: 2 },
  },
  {
    name: 'deregisters a consumer, and knows it no more',
    document: 'API reference, DeregisterStreamConsumer',
    async ask(service) {
      const { StreamARN } = await consumed(service, 'fan-out')
      await service.client.send(new DeregisterStreamConsumerCommand({ StreamARN, ConsumerName: 'fan-out' }))
      await service.until(async () => (await outcome(describe(service, StreamARN, 'fan-out'))) !== 'ok')
      return outcome(describe(service, StreamARN, 'fan-out'))
    },
    expected: 'ResourceNotFoundException 400',
  },
  {
    name: 'refuses to delete a stream with consumers',
    document: 'API reference, DeleteStream',
    async ask(service) {
      const { StreamName } = await consumed(service, 'fan-out')
      return outcome(service.client.send(new DeleteStreamCommand({ StreamName })))
    },
    expected: 'ResourceInUseException 400',
  },
  {
    name: 'pushes the records of a shard to a consumer',
    document: 'API reference, SubscribeToShard',
    async ask(service) {
      const { StreamName, StreamARN } = await consumed(service, 'fan-out')
      await service.put(StreamName, 'a', 'first')
      await service.put(StreamName, 'a', 'second')
      const { ConsumerDescription } = await describe(service, StreamARN, 'fan-out')
      const { EventStream } = await service.client.send(
        new SubscribeToShardCommand({
          ConsumerARN: ConsumerDescription!.ConsumerARN,
          ShardId: FIRST_SHARD,
          StartingPosition: { Type: 'TRIM_HORIZON' },
        }),
      )
      const texts: string[] = []
      for await (const { SubscribeToShardEvent: event } of EventStream!) {
        texts.push(...(event?.Records ?? []).map(({ Data }) => Buffer.from(Data!).toString()))
        if (texts.length >= 2) break
      }
      return texts
    },
    expected: ['first', 'second'],
  },
]
