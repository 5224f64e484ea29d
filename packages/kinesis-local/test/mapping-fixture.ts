import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '@org/kinesis-core'
import type { FailureDocument } from '@org/kinesis-core/event-source-mapping'
import { createEventSourceMappingHost } from '../src/event-source-mapping/event-source-mapping-host.js'
import type { EventSourceMappingOptions } from '../src/event-source-mapping/mapping-options.js'
import type { LocalFunctionOptions } from '../src/function/function-options.js'
import { createLocalFunction } from '../src/function/local-function.js'
import type { LocalService } from '../src/service.js'
import { hostDependencies } from './host-fixture.js'
import { aFolder, STREAM } from './stream-fixture.js'

const handlers = fileURLToPath(new URL('./mapping-handlers.mjs', import.meta.url))

/** What a handler saw of one invocation. */
export interface Seen {
  records: { key: string; data: string; sequenceNumber: string; shard: string }[]
  window?: { start: string; end: string }
  state?: Record<string, number>
  isFinalInvokeForWindow?: boolean
}

/** A mapping from the stream of the fixture to one of the handlers, with what it saw and what was given up. */
export async function aMapping(
  cleanup: (() => Promise<unknown>)[],
  service: LocalService,
  exportName: string,
  options: Partial<EventSourceMappingOptions> = {},
  functionOptions: Partial<LocalFunctionOptions> = {},
  clock: Clock = systemClock,
) {
  const folder = await aFolder(cleanup)
  const seenFile = join(folder, 'seen')
  const host = hostDependencies(service, clock)
  const fn = createLocalFunction(
    {
      name: 'processor',
      file: handlers,
      exportName,
      environment: { SEEN_FILE: seenFile },
      ...functionOptions,
    },
    host,
  )
  const failures = join(folder, 'failures')
  const mapping = createEventSourceMappingHost(
    {
      streamName: STREAM,
      function: fn,
      pollIntervalMs: 20,
      retryBackoff: { baseMs: 1, maxMs: 5 },
      onFailure: { folder: failures },
      ...options,
    },
    host,
  )
  cleanup.push(() => fn.close())
  cleanup.push(() => mapping.close())
  return {
    mapping,
    fn,
    host,
    async seen(): Promise<Seen[]> {
      const text = await readFile(seenFile, 'utf8').catch(() => '')
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    },
    async discarded(): Promise<{ name: string; document: FailureDocument }[]> {
      const found = []
      for await (const name of glob('**/*.json', { cwd: failures })) {
        found.push({ name, document: JSON.parse(await readFile(join(failures, name), 'utf8')) })
      }
      return found
    },
  }
}

export const dataOf = (seen: Seen[]) =>
  seen.flatMap((invocation) => invocation.records.map((record) => record.data))
