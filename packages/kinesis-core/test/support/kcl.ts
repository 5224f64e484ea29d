import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type HashKeyRange, MAX_HASH_KEY } from '@org/kinesis-core'
import { findKclJars } from './kcl-jars.js'

interface KclRecord {
  partitionKey: string
  explicitHashKey?: string
  data: Buffer
  /** The container's position in the call. */
  sequenceNumber: string
  subSequenceNumber: number
  aggregated: boolean
}

export interface Kcl {
  /** What KCL delivers on a shard of that range; rejects with the name of the Java class that KCL throws. */
  deaggregate(containers: readonly Uint8Array[], range?: HashKeyRange): Promise<KclRecord[]>
  close(): void
}

const PROGRAM = fileURLToPath(new URL('../java/Deaggregate.java', import.meta.url))
const WHOLE_RANGE = { startingHashKey: 0n, endingHashKey: MAX_HASH_KEY }

/** KCL's deaggregator in a Java process of its own, or what is missing for it here. */
export function findKcl(): { start: () => Kcl } | { missing: string } {
  const jars = findKclJars()
  return 'missing' in jars ? jars : { start: () => startKcl(jars.classPath) }
}

function startKcl(classPath: string): Kcl {
  const java = spawn('java', ['-cp', classPath, PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: PromiseWithResolvers<string>[] = []
  createInterface(java.stdout).on('line', (line) => waiting.shift()?.resolve(line))
  java.once('close', (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`Java ended with ${code}`))
  })
  // Java's end is reported by the handler above.
  java.stdin.on('error', () => {})

  return {
    async deaggregate(containers, range = WHOLE_RANGE) {
      const answer = Promise.withResolvers<string>()
      waiting.push(answer)
      const words = [range.startingHashKey, range.endingHashKey, ...containers.map(base64)]
      java.stdin.write(`${words.join(' ')}\n`)
      const result: string | RecordInBase64[] = JSON.parse(await answer.promise)
      if (typeof result === 'string') throw new Error(result)
      return result.map(fromBase64)
    },
    close: () => java.stdin.end(),
  }
}

/** Texts come in base64, so that the Java side needs no JSON library. */
type RecordInBase64 = Omit<KclRecord, 'data'> & { data: string }

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

function fromBase64({ partitionKey, explicitHashKey, data, ...rest }: RecordInBase64): KclRecord {
  const text = (value: string) => Buffer.from(value, 'base64').toString('utf8')
  return {
    ...rest,
    partitionKey: text(partitionKey),
    data: Buffer.from(data, 'base64'),
    ...(explicitHashKey === undefined ? {} : { explicitHashKey: text(explicitHashKey) }),
  }
}
