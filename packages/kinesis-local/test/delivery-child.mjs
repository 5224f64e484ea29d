import { startLocal } from '../dist/index.js'

/** A delivery in a process that can be killed, of a stream that goes on elsewhere; a line on its input lets it drain. */
const { kinesis, name, root, ...options } = JSON.parse(process.argv[2])
const local = await startLocal({ endpoints: { kinesis }, dataDir: `${root}/${name}` })
const delivery = local.createDeliveryStream({
  name,
  streamName: 'orders',
  folder: `${root}/lake`,
  checkpointFile: `${root}/checkpoint.json`,
  bufferBytes: 2_000,
  bufferIntervalMs: 50,
  pollIntervalMs: 50,
  ...options,
})
// What it has read is told line by line.
setInterval(() => console.log(JSON.stringify(delivery.stats())), 20).unref()
process.stdin.once('data', async () => {
  await delivery.drain()
  await local.close()
  process.exit(0)
})
