import { KinesisClient } from '@aws-sdk/client-kinesis'
import { createSimulation, type FaultAction, type FaultPlan } from '@org/kinesis-local'
import { faultsOf } from './episode.ts'
import type { LoggedRequest } from './request-log.ts'
import type { Scenario } from './scenario.ts'
import { STREAM_NAME, type World } from './world.ts'

/** One process, no sockets, a clock that jumps: the same seed, the same run. */
export async function simulatedWorld(scenario: Scenario): Promise<World> {
  const { seed, shards, streamTransitionMs, latencyMs, episodes } = scenario
  const requests: LoggedRequest[] = []
  let elapsedMs = () => 0
  let met: FaultAction | undefined
  const plan = faultsOf(episodes, seed, () => elapsedMs())
  const faults: FaultPlan = (call) => {
    met = plan(call)
    return met
  }
  const sim = await createSimulation({
    seed,
    streams: [{ name: STREAM_NAME, shards }],
    streamTransitionMs,
    latencyMs,
    faults,
  })
  const startMs = sim.clock.now()
  elapsedMs = () => sim.clock.now() - startMs
  const { requestHandler, ...configuration } = sim.clientConfiguration
  type Handle = typeof requestHandler.handle

  const handle: Handle = async (request, options) => {
    const operation = String(request.headers['x-amz-target'] ?? request.headers['X-Amz-Target'])
      .split('.')
      .at(-1)!
    met = undefined
    const answered = requestHandler.handle(request, options)
    // The plan was asked by now: a call is drawn for before it travels.
    const logged: LoggedRequest = {
      operation,
      number: requests.length + 1,
      atMs: elapsedMs(),
      fault: met,
      requestBody: request.body as Uint8Array | string,
    }
    requests.push(logged)
    try {
      const { response } = await answered
      Object.assign(logged, { statusCode: response.statusCode, responseBody: response.body })
      return { response }
    } catch (error) {
      logged.failure = error instanceof Error ? error.message : String(error)
      throw error
    } finally {
      logged.endedAtMs = elapsedMs()
    }
  }

  return {
    clock: sim.clock,
    elapsedMs,
    connection: {
      client: new KinesisClient({ ...configuration, requestHandler: { ...requestHandler, handle } }),
    },
    random: sim.random('producer'),
    requests,
    run: (work, limitMs) => sim.run(work, { limitMs }),
    call: (operation, input) => sim.kinesis.call(operation, input),
    wait: (ms) => sim.advance(ms),
    digest: () => sim.trace().digest,
    close: () => sim.close(),
  }
}
