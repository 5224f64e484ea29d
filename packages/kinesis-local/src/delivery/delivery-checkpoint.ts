import { readFileSync } from 'node:fs'
import { basename, dirname, isAbsolute } from 'node:path'
import { InvalidOptionError } from '@org/kinesis-core'
import type { StartingPoint } from '../event-source-mapping/shard-reader.js'
import { writeDurably, writeDurablySync } from './durable-file.js'

/** How far a delivery is, in a file: a delivery that is started again goes on there, and what its checkpoint was behind it repeats. */
export interface DeliveryCheckpoint {
  /** Where to begin in shards that the file does not name. */
  startingPosition: StartingPoint
  /** Sequence numbers by shard. */
  resumeAfter: ReadonlyMap<string, string>
  /** Writes what changed since, one write at a time; resolves when the last one is durable, and never rejects. */
  save(shards: Iterable<[shardId: string, checkpoint: string | undefined]>): Promise<void>
}

interface CheckpointFile {
  streamName: string
  startedAtMs: number
  shards: Record<string, string>
}

/** Reads the file, or begins it: a delivery that is killed before anything of it is durable still began where it did. */
export function openCheckpoint(
  file: string,
  { streamName, startingPosition }: { streamName: string; startingPosition: StartingPoint },
  nowMs: number,
  onError: (error: Error) => void,
): DeliveryCheckpoint {
  const known = readCheckpoint(file, streamName)
  const { startedAtMs } = known ?? beginCheckpoint(file, { streamName, startedAtMs: nowMs, shards: {} })
  const shards = new Map(Object.entries(known?.shards ?? {}))
  const resumeAfter = new Map(shards)
  let isChanged = false
  let saving: Promise<void> | undefined

  async function write(): Promise<void> {
    while (isChanged) {
      isChanged = false
      const content: CheckpointFile = { streamName, startedAtMs, shards: Object.fromEntries(shards) }
      try {
        await writeDurably(dirname(file), basename(file), bytesOf(content))
      } catch (error) {
        // The next change writes it all again.
        onError(error as Error)
      }
    }
    saving = undefined
  }

  return {
    // The tip was where it was when the delivery was first started.
    startingPosition:
      startingPosition === 'LATEST' && known !== undefined
        ? { atTimestampMs: startedAtMs }
        : startingPosition,
    resumeAfter,
    save(changed) {
      for (const [shardId, checkpoint] of changed) {
        if (checkpoint === undefined || shards.get(shardId) === checkpoint) continue
        shards.set(shardId, checkpoint)
        isChanged = true
      }
      saving ??= write()
      return saving
    },
  }
}

function beginCheckpoint(file: string, content: CheckpointFile): CheckpointFile {
  try {
    writeDurablySync(dirname(file), basename(file), bytesOf(content))
  } catch (error) {
    throw new InvalidOptionError('checkpointFile', file, `It cannot be written: ${(error as Error).message}.`)
  }
  return content
}

function bytesOf(content: CheckpointFile): Buffer {
  return Buffer.from(`${JSON.stringify(content)}\n`)
}

function readCheckpoint(file: string, streamName: string): CheckpointFile | undefined {
  if (!isAbsolute(file)) throw new InvalidOptionError('checkpointFile', file, 'Give an absolute path.')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new InvalidOptionError('checkpointFile', file, `It cannot be read: ${(error as Error).message}.`)
  }
  const content = parse(text)
  const isOne = typeof content?.shards === 'object' && Number.isFinite(content.startedAtMs)
  if (isOne && content.streamName === streamName) return content
  throw new InvalidOptionError(
    'checkpointFile',
    file,
    `It is no checkpoint of a delivery of ${streamName}: name another file.`,
  )
}

function parse(text: string): CheckpointFile | undefined {
  try {
    return JSON.parse(text) as CheckpointFile
  } catch {
    return undefined
  }
}
