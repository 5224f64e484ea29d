import { ChangeMessageVisibilityBatchCommand } from '@aws-sdk/client-sqs'
import { InvalidOptionError, systemClock } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { aRejectedRecord } from '../src/rejected/rejected-fixture.js'
import { sqsRejectedSource } from '../src/sqs.js'
import { all, startReplay } from './rejected-stores.js'

const records = (count: number) =>
  Array.from({ length: count }, (_, n) => aRejectedRecord({ sequenceNumber: String(n) }))

describe('a queue that is read', () => {
  it('shows each message once, hides it from others, and shows it again when it is released', async () => {
    await using replay = await startReplay()
    await replay.keep('sqs', records(25))
    const source = replay.source('sqs')

    const shown = await all(source.entries())
    const hidden = await replay.kept('sqs')
    await source.release()

    expect(shown.map(({ record }) => record)).toEqual(records(25))
    expect(hidden).toEqual([])
    expect(await replay.kept('sqs')).toHaveLength(25)
  })

  it('shows a message once, and can take it away, though the queue shows it again meanwhile', async () => {
    await using replay = await startReplay()
    await replay.keep('sqs', records(3))
    const source = sqsRejectedSource({ client: replay.sqs, queueUrl: replay.queueUrl })
    const shown = []

    for await (const entry of source.entries()) {
      // As when the time is over for which it is hidden.
      const { messageId: Id, receiptHandle: ReceiptHandle } = entry
      const entries = [{ Id, ReceiptHandle, VisibilityTimeout: 0 }]
      await replay.sqs.send(
        new ChangeMessageVisibilityBatchCommand({ QueueUrl: replay.queueUrl, Entries: entries }),
      )
      shown.push(entry)
    }
    const removals = await source.remove(shown)
    await source.release()

    expect(shown.map(({ record }) => record)).toEqual(records(3))
    expect(removals).toEqual(Array(3).fill({ removed: true }))
    expect(replay.local.queueMessages('rejected')).toEqual([])
  })

  it('hides what it shows for as long as it is told to', async () => {
    const asked: unknown[] = []
    const client = {
      send: async ({ input }: { input: { VisibilityTimeout?: number } }) => {
        asked.push(input.VisibilityTimeout)
        return {}
      },
    }
    const options = { client: client as never, queueUrl: 'http://q' }

    await all(sqsRejectedSource(options).entries())
    await all(sqsRejectedSource({ ...options, visibilityTimeoutMs: 30_500 }).entries())

    expect(asked).toEqual([900, 31])
  })

  it('comes to an end though others go on sending', async () => {
    await using replay = await startReplay()
    await replay.keep('sqs', records(150))
    // To this clock everything was sent long after the reading began.
    const clock = { ...systemClock, now: () => Date.now() - 120_000 }
    const source = sqsRejectedSource({ client: replay.sqs, queueUrl: replay.queueUrl, clock })

    expect(await all(source.entries())).toEqual([])
    await source.release()

    expect(await replay.kept('sqs')).toHaveLength(150)
  })

  it('ends when its reader does not go on, and gives back what it has shown', async () => {
    await using replay = await startReplay()
    await replay.keep('sqs', records(12))
    const source = replay.source('sqs')

    for await (const _ of source.entries()) break
    await source.release()

    expect(await replay.kept('sqs')).toHaveLength(12)
  })

  it('fails where there is no such queue, and releases without an error', async () => {
    await using replay = await startReplay()
    const source = sqsRejectedSource({
      client: replay.sqs,
      queueUrl: `${replay.local.url}/000000000000/missing`,
    })

    await expect(all(source.entries())).rejects.toThrow('does not exist')
    await source.release()
  })

  it.each<[string, object]>([
    ['client', { client: undefined }],
    ['queueUrl', { queueUrl: '' }],
    ['visibilityTimeoutMs', { visibilityTimeoutMs: 43_200_001 }],
    ['requestTimeoutMs', { requestTimeoutMs: 1_000 }],
    ['clock', { clock: {} }],
    ['queue', { queue: 'x' }],
  ])('fails when it is built with options that cannot work: %s', (option, wrong) => {
    const build = () => sqsRejectedSource({ client: { send() {} }, queueUrl: 'http://q', ...wrong } as never)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })
})
