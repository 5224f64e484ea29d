import { createRequire } from 'node:module'
import { Logger } from '@aws-lambda-powertools/logger'
import { Tracer } from '@aws-lambda-powertools/tracer'
import { kinesisEvent, lambdaContext } from '@org/kinesis-core/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { instantClock, MemoryRejectedSink, MemorySink } from '../src/handler-fixture.js'
import { json, type KinesisHandlerOptions, kinesisHandler, PermanentError } from '../src/index.js'

const schema = z.object({ n: z.number() })
type Event = z.infer<typeof schema>

function run(numbers: readonly unknown[], options: Partial<KinesisHandlerOptions<Event>>) {
  const handler = kinesisHandler<Event>({
    decode: json(schema),
    sink: new MemorySink<Event>(({ value }) => (value.n === 13 ? new Error('the table is busy') : undefined)),
    rejected: new MemoryRejectedSink(),
    clock: instantClock(),
    ...options,
  })
  const records = numbers.map((n, place) => ({ partitionKey: `key-${place}`, data: { n } }))
  return handler(kinesisEvent(records), lambdaContext())
}

describe("a log through Powertools' own Logger", () => {
  let lines: Record<string, unknown>[]
  const note = (line: string) => lines.push(JSON.parse(line))
  let logger: Logger
  beforeEach(() => {
    lines = []
    // Powertools writes to a console of its own, unless it is told that it runs on a developer's machine, where it indents.
    vi.stubEnv('POWERTOOLS_DEV', 'true')
    for (const level of ['log', 'debug', 'warn'] as const) vi.spyOn(console, level).mockImplementation(note)
    logger = new Logger({ serviceName: 'orders', logLevel: 'DEBUG' })
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  it('is one line for a batch that was finished, for whoever asks for debugging', async () => {
    await run([1, 2], { logger })

    expect(lines).toMatchObject([
      { level: 'DEBUG', message: 'A batch of records was processed.', batch: { received: 2, stored: 2 } },
    ])
  })

  it('is a warning where records were rejected, and says why', async () => {
    await run([1, 'two', 'three'], { logger })

    expect(lines).toMatchObject([
      {
        level: 'WARN',
        message: 'Records of a batch were rejected.',
        batch: { rejectedByReason: { invalid: 2 } },
      },
    ])
  })

  it('is a warning where a batch was left, with the place and the error, and nothing else on standard error', async () => {
    await run([1, 13], { logger })

    expect(lines).toMatchObject([
      {
        level: 'WARN',
        message: 'A batch of records was left unfinished.',
        stoppedAt: { partitionKey: 'key-1' },
        error: { name: 'Error', message: 'the table is busy' },
      },
    ])
  })

  it('costs no batch its answer when it fails', async () => {
    const broken = {
      debug: () => {
        throw new Error('full')
      },
      warn: () => {},
    }
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})

    expect(await run([1], { logger: broken })).toEqual({ batchItemFailures: [] })
    expect(warn).toHaveBeenCalledOnce()
  })
})

interface Segment {
  name: string
  subsegments?: Segment[]
  annotations?: Record<string, unknown>
  metadata?: { default: Record<string, unknown> }
  in_progress?: boolean
}

const xray = createRequire(createRequire(import.meta.url).resolve('@aws-lambda-powertools/tracer'))(
  'aws-xray-sdk-core',
) as { Segment: new (name: string) => Segment }

describe("a trace through Powertools' own Tracer", () => {
  afterEach(() => vi.unstubAllEnvs())

  /** Runs a batch below a root segment, as Lambda has one. */
  async function traced(
    numbers: readonly unknown[],
    work: (tracer: Tracer) => Partial<KinesisHandlerOptions<Event>>,
  ) {
    vi.stubEnv('AWS_EXECUTION_ENV', 'AWS_Lambda_nodejs24.x')
    const tracer = new Tracer({ serviceName: 'orders', enabled: true, captureHTTPsRequests: false })
    const root = new xray.Segment('root')
    await tracer.provider.getNamespace().runAndReturn(async () => {
      tracer.setSegment(root as never)
      await run(numbers, { tracer, ...work(tracer) })
      expect(tracer.getSegment()).toBe(root)
    })
    return root
  }

  it('has a segment for the batch with what became of it, and one for each part of the work', async () => {
    const root = await traced([1, 'two'], () => ({}))

    expect(root.subsegments).toHaveLength(1)
    const [batch] = root.subsegments!
    expect(batch).toMatchObject({
      name: '## kinesisHandler',
      annotations: { received: 2, stored: 1, rejected: 1, unresolved: 0, isColdStart: true },
      metadata: { default: { batch: { rejectedByReason: { invalid: 1 } } } },
    })
    expect(batch!.subsegments!.map(({ name }) => name)).toEqual(['### steps', '### rejected', '### sink'])
    expect([batch!, ...batch!.subsegments!].every((segment) => segment.in_progress !== true)).toBe(true)
  })

  it('puts what the sink does below the sink', async () => {
    const root = await traced([1], (tracer) => ({
      sink: {
        write: async (records) => {
          ;(tracer.getSegment() as never as { addNewSubsegment(name: string): { close(): void } })
            .addNewSubsegment('DynamoDB')
            .close()
          return records.map(() => ({ stored: true }) as const)
        },
      },
    }))

    expect(root.subsegments![0]!.subsegments![1]!).toMatchObject({
      name: '### sink',
      subsegments: [{ name: 'DynamoDB' }],
    })
  })

  it('costs no batch its answer when it fails', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const broken = {
      isTracingEnabled: () => true,
      getSegment: () => {
        throw new PermanentError('no context')
      },
      setSegment: () => {},
    }

    expect(await run([1], { tracer: broken })).toEqual({ batchItemFailures: [] })
    expect(warn).toHaveBeenCalledOnce()
    warn.mockRestore()
  })

  it('is not begun where tracing is off', async () => {
    const off = {
      isTracingEnabled: () => false,
      getSegment: () => {
        throw new Error('not to be asked')
      },
      setSegment: () => {},
    }

    expect(await run([1], { tracer: off })).toEqual({ batchItemFailures: [] })
  })
})
