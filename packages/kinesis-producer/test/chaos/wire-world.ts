import { KinesisClient } from '@aws-sdk/client-kinesis'
import { seededRandom, sleep, systemClock } from '@org/kinesis-core'
import { startLocal } from '@org/kinesis-local'
import { drawFrom } from './draw.ts'
import { faultsOf } from './episode.ts'
import type { LoggedRequest } from './request-log.ts'
import type { Scenario } from './scenario.ts'
import { STREAM_NAME, type World } from './world.ts'

/** Sockets and real time; a seed fixes the scenario and the draws, not how the machine interleaves them. */
export async function wireWorld({ seed, shards, streamTransitionMs, episodes }: Scenario): Promise<World> {
  const requests: LoggedRequest[] = []
  const arrivals = new Map<number, number>()
  const startMs = performance.now()
  const elapsedMs = () => performance.now() - startMs
  const plan = faultsOf(episodes, seed, elapsedMs)
  const local = await startLocal({
    streams: [{ name: STREAM_NAME, shards }],
    streamTransitionMs,
    random: seededRandom(seed),
    faults(call) {
      arrivals.set(call.number, elapsedMs())
      return plan(call)
    },
    onRequest({ operation, number, fault, statusCode, requestBody, responseBody }) {
      requests.push({
        operation,
        number,
        atMs: arrivals.get(number) ?? 0,
        endedAtMs: elapsedMs(),
        fault,
        ...(statusCode === 0 ? { failure: 'cut' } : { statusCode }),
        requestBody,
        responseBody,
      })
    },
  })
  const connection = {
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  }
  // A client of the caller's has connections of its own: HTTP/2, and a session for every request.
  const client = drawFrom(seed, 'client').chance(0.25) ? new KinesisClient(connection) : undefined

  return {
    clock: { now: () => performance.timeOrigin + performance.now(), schedule: systemClock.schedule },
    elapsedMs,
    connection: client === undefined ? connection : { client },
    random: seededRandom(seed + 1),
    requests,
    async run(work, limitMs) {
      const over = new AbortController()
      const late = sleep(systemClock, limitMs, over.signal).then(() => {
        if (!over.signal.aborted) throw new Error(`It is not done after ${limitMs} ms.`)
      })
      try {
        await Promise.race([work, late])
      } finally {
        over.abort()
      }
    },
    call: (operation, input) => local.kinesis.call(operation, input),
    wait: (ms) => sleep(systemClock, ms),
    digest: () => '',
    async close() {
      client?.destroy()
      await local.close()
    },
  }
}
