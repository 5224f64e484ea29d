import {
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  ListShardsCommand,
  ListStreamsCommand,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis'
import type { Scenario } from '../scenario.js'
import { outcome, type ServiceUnderTest } from '../service-under-test.js'

const common = 'API reference, Common Errors'

/** A call that no SDK would make: its request is changed before it is signed. */
function changed(
  service: ServiceUnderTest,
  change: (request: { headers: Record<string, string>; body: string }) => void,
): Promise<string> {
  const command = new ListStreamsCommand({})
  command.middlewareStack.add(
    (next) => (args) => {
      change(args.request as { headers: Record<string, string>; body: string })
      return next(args)
    },
    // After the content length is set, another would be sent.
    { step: 'build', priority: 'high' },
  )
  return outcome(service.client.send(command))
}

export const errorScenarios: readonly Scenario[] = [
  {
    name: 'knows no stream that there is not',
    document: 'API reference, DescribeStream',
    async ask(service) {
      const StreamName = service.unusedName()
      const { client } = service
      return [
        await outcome(client.send(new DescribeStreamCommand({ StreamName }))),
        await outcome(client.send(new DescribeStreamSummaryCommand({ StreamName }))),
        await outcome(client.send(new ListShardsCommand({ StreamName }))),
        await outcome(service.put(StreamName, 'a', 'x')),
        await outcome(service.iterator(StreamName)),
      ]
    },
    expected: Array(5).fill('ResourceNotFoundException 400'),
  },
  {
    name: 'knows no operation that there is not',
    document: common,
    ask: (service) =>
      changed(service, ({ headers }) => {
        headers['x-amz-target'] = 'Kinesis_20131202.DoNothing'
      }),
    expected: 'UnknownOperationException 400',
  },
  {
    name: 'refuses a body that is no JSON',
    document: common,
    ask: (service) =>
      changed(service, (request) => {
        request.body = '{"Limit": 1'
      }),
    expected: 'SerializationException 400',
  },
  {
    name: 'refuses a value of the wrong type',
    document: common,
    ask: (service) =>
      changed(service, (request) => {
        request.body = '{"Limit": "ten"}'
      }),
    expected: 'SerializationException 400',
  },
  {
    name: 'refuses a record without a partition key, or without data',
    document: 'API reference, PutRecord',
    async ask(service) {
      const StreamName = await service.sharedStream()
      const put = (input: object) =>
        outcome(
          service.client.send(
            new PutRecordCommand({ StreamName, ...input } as ConstructorParameters<
              typeof PutRecordCommand
            >[0]),
          ),
        )
      return [await put({ Data: Buffer.from('x') }), await put({ PartitionKey: 'a' })]
    },
    expected: ['ValidationException 400', 'ValidationException 400'],
  },
  {
    name: 'refuses to read without an iterator',
    document: 'API reference, GetRecords',
    ask: (service) => outcome(service.client.send(new GetRecordsCommand({ ShardIterator: undefined }))),
    expected: 'ValidationException 400',
  },
  {
    name: 'gives every answer an id',
    document: common,
    async ask(service) {
      const listed = await service.client.send(new ListStreamsCommand({}))
      const refused = await service.client
        .send(new DescribeStreamCommand({ StreamName: service.unusedName() }))
        .catch((error) => error)
      return [listed, refused].map(({ $metadata }) => ($metadata.requestId ?? '').length > 10)
    },
    expected: [true, true],
  },
]
