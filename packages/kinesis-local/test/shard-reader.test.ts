import { ManualClock } from '@org/kinesis-core/testing'
import { expect, it } from 'vitest'
import { ShardReader } from '../src/event-source-mapping/shard-reader.js'
import { aStream, STREAM } from './stream-fixture.js'

it('reads on behind the tip as often as a shard may be read, and at the tip once a second', async () => {
  const clock = new ManualClock(0)
  const { service, putMany, put } = aStream({ clock })
  putMany(25_000, () => 'key')
  const readAtMs: number[] = []
  const reader = new ShardReader(
    {
      streamName: STREAM,
      shardId: 'shardId-000000000000',
      position: 'TRIM_HORIZON',
      pollIntervalMs: 1_000,
      consumer: { room: () => 10_000, take() {}, caughtUp() {}, async end() {} },
      onError(error) {
        throw error
      },
    },
    {
      kinesis: {
        targetPrefix: service.targetPrefix,
        call(operation, input) {
          if (operation === 'GetRecords') readAtMs.push(clock.now())
          return service.call(operation, input)
        },
      },
      clock,
      random: () => 0.5,
    },
  )
  const run = reader.run()

  await clock.advance(2_000)
  put('key', 'at the tip')
  await clock.advance(2_000)
  reader.stop()
  await run

  expect(readAtMs).toEqual([0, 200, 400, 1_400, 2_400, 3_400])
})
