import { createServer } from 'node:net'
import { StreamingError, systemClock } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { KinesisMonitor, PartiallyPublishedError, tailStream } from '../src/index.js'
import { ServiceRefusal, startScriptedService, testCredentials } from './support/scripted-service.js'

const SUMMARY = {
  StreamDescriptionSummary: {
    StreamName: 'clicks',
    StreamARN: 'arn:aws:kinesis:us-east-1:123456789012:stream/clicks',
    StreamStatus: 'ACTIVE',
    RetentionPeriodHours: 24,
    OpenShardCount: 1,
    ConsumerCount: 0,
  },
}

/** Backoff without the waiting: the attempts are what these tests count. */
const impatientClock = {
  now: () => systemClock.now(),
  schedule: (_delayMs: number, callback: () => void) => systemClock.schedule(0, callback),
}

function monitorAt(endpoint: string): KinesisMonitor {
  const connection = { region: 'us-east-1', endpoint, credentials: testCredentials }
  return new KinesisMonitor({ ...connection, streamName: 'clicks', clock: impatientClock })
}

async function failureOf(promise: Promise<unknown>): Promise<StreamingError> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  )
  if (!StreamingError.isInstance(error)) throw new Error(`expected a StreamingError, got ${error}`)
  expect(error.message).not.toContain('\n')
  return error
}

function answersFor(input: Record<string, unknown>, status = 'Complete') {
  const queries = input.MetricDataQueries as { Id: string }[]
  return queries.map(({ Id }) => ({ Id, Timestamps: [1_700_000_000], Values: [1], StatusCode: status }))
}

describe('a call that is denied', () => {
  it.each([
    ['checkStreamHealth', 'kinesis:DescribeStreamSummary', 'stream clicks'],
    ['getStreamMetrics', 'cloudwatch:GetMetricData', '*'],
    ['getShardMetrics', 'kinesis:ListShards', 'stream clicks'],
  ] as const)('is told by %s with the permission %s', async (method, permission, resource) => {
    await using service = await startScriptedService(() => new ServiceRefusal('AccessDeniedException'))

    const error = await failureOf(monitorAt(service.url)[method]())

    expect(error).toMatchObject({ code: 'PERMISSION_DENIED', permission, resource, retryable: false })
    expect(service.calls).toHaveLength(1)
  })

  it('is told of a tail and of custom metrics as well', async () => {
    await using service = await startScriptedService(() => new ServiceRefusal('AccessDenied'))
    const monitor = monitorAt(service.url)

    expect(await failureOf(monitor.followStream().next())).toMatchObject({ permission: 'kinesis:ListShards' })
    expect(await failureOf(monitor.putCustomMetric('Orders', 1))).toMatchObject({
      permission: 'cloudwatch:PutMetricData',
    })
  })
})

describe('an endpoint that cannot be reached', () => {
  it('is named, soon', async () => {
    const port = await unusedPort()

    const error = await failureOf(monitorAt(`http://127.0.0.1:${port}`).checkStreamHealth())

    expect(error).toMatchObject({ code: 'ENDPOINT_UNREACHABLE', retryable: true })
    expect(error.message).toContain(`http://127.0.0.1:${port} cannot be reached (ECONNREFUSED)`)
  })

  it('is no endpoint at all where it is no URL', () => {
    expect(() => monitorAt('localhost 4567')).toThrow(/endpoint: "localhost 4567" cannot be used/)
  })
})

describe('options that there are not', () => {
  it('are refused by name, with those that there are', () => {
    const form: object = { form: 'LATEST' }
    const misspelt: object = { endpont: 'http://127.0.0.1:4567' }
    const refusal = /endpont.*no such option.*endpoint/

    expect(() => new KinesisMonitor({ streamName: 'clicks', ...misspelt })).toThrow(refusal)
    expect(() => tailStream({ streamName: 'clicks', ...misspelt })).toThrow(refusal)
    expect(() => monitorAt('http://127.0.0.1:9').followStream(form)).toThrow(/form.*from/)
  })
})

describe('credentials', () => {
  it('are asked for where there are none', async () => {
    const monitor = new KinesisMonitor({
      streamName: 'clicks',
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:9',
      // What the SDK's chain does on a machine that has none, without asking an instance's metadata service.
      credentials: async () => {
        throw Object.assign(new Error('Could not load credentials from any providers'), {
          name: 'CredentialsProviderError',
        })
      },
    })

    const error = await failureOf(monitor.checkStreamHealth())

    expect(error).toMatchObject({ code: 'NO_CREDENTIALS', retryable: false })
    expect(error.message).toContain('AWS_PROFILE')
  })

  it('are asked to be renewed where the service rejects them', async () => {
    await using service = await startScriptedService(() => new ServiceRefusal('UnrecognizedClientException'))

    expect(await failureOf(monitorAt(service.url).getShardMetrics())).toMatchObject({
      code: 'CREDENTIALS_REJECTED',
    })
  })
})

describe('CloudWatch that throttles', () => {
  it('is asked again until it answers', async () => {
    await using service = await startScriptedService(({ input }, number) =>
      number < 3 ? new ServiceRefusal('ThrottlingException') : { MetricDataResults: answersFor(input) },
    )

    const { complete } = await monitorAt(service.url).getStreamMetrics()

    expect(complete).toBe(true)
    expect(service.calls).toHaveLength(3)
  })

  it('leaves a partial result that says so, with what the other calls have read', async () => {
    // 200 shards with 7 metrics are three calls; the second page of metrics is never given.
    await using service = await startScriptedService(({ operation, input }) => {
      if (operation === 'ListShards') return { Shards: manyShards(200) }
      const [first] = input.MetricDataQueries as { Id: string }[]
      if (first?.Id === 's500') return new ServiceRefusal('ThrottlingException')
      return { MetricDataResults: answersFor(input) }
    })

    const { shards, complete, problems } = await monitorAt(service.url).getShardMetrics()

    expect(complete).toBe(false)
    expect(problems.join()).toContain('cloudwatch:GetMetricData is throttled')
    const states = shards.flatMap((shard) => Object.values(shard.metrics).map((metric) => metric.state))
    expect(states.filter((state) => state === 'unread')).toHaveLength(500)
    expect(states.filter((state) => state === 'reported')).toHaveLength(900)
  })

  it('never leads to a wrong "healthy"', async () => {
    await using service = await startScriptedService(({ operation }) =>
      operation === 'DescribeStreamSummary' ? SUMMARY : new ServiceRefusal('ThrottlingException'),
    )

    const { overallStatus, findings } = await monitorAt(service.url).checkStreamHealth()

    expect(overallStatus).toBe('UNKNOWN')
    expect(findings).toMatchObject([{ rule: 'metrics-incomplete' }])
  })
})

describe('CloudWatch that answers in parts', () => {
  it('is read to the last page', async () => {
    await using service = await startScriptedService(({ input }) =>
      input.NextToken === undefined
        ? { MetricDataResults: answersFor(input, 'PartialData'), NextToken: 'second' }
        : {
            MetricDataResults: answersFor(input).map((result) => ({
              ...result,
              Timestamps: [1_700_000_060],
            })),
          },
    )

    const { metrics, complete } = await monitorAt(service.url).getStreamMetrics()

    expect(complete).toBe(true)
    expect(metrics.incomingRecords).toMatchObject({ state: 'reported', sum: 2 })
    expect(service.calls.map((call) => call.input.NextToken)).toEqual([undefined, 'second'])
  })

  it('is marked where the last page is not the end', async () => {
    await using service = await startScriptedService(({ input }) => ({
      MetricDataResults: answersFor(input, 'PartialData'),
    }))

    const { metrics, complete, problems } = await monitorAt(service.url).getStreamMetrics()

    expect(complete).toBe(false)
    expect(problems).not.toEqual([])
    expect(metrics.incomingRecords.state).toBe('partial')
  })
})

describe('custom metrics of which some requests fail', () => {
  it('say how many were published', async () => {
    await using service = await startScriptedService((_, number) =>
      number === 1 ? {} : new ServiceRefusal('AccessDenied'),
    )
    const metrics = Array.from({ length: 1_500 }, (_, value) => ({ name: 'Orders', value }))

    const error = await failureOf(monitorAt(service.url).putCustomMetrics(metrics))

    expect(error).toBeInstanceOf(PartiallyPublishedError)
    expect(error).toMatchObject({ published: 1_000, total: 1_500, retryable: false })
  })
})

function manyShards(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    ShardId: `shardId-${String(index).padStart(12, '0')}`,
    HashKeyRange: { StartingHashKey: String(index), EndingHashKey: String(index) },
    SequenceNumberRange: { StartingSequenceNumber: '1' },
  }))
}

async function unusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
