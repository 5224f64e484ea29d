import { startLocal } from '@org/kinesis-local'

// Forked by the bench, with the options of startLocal in JSON: the library in a process of its own.
const options = JSON.parse(process.argv[2]!)
const local = await startLocal({ ...options, shardLimits: false, onWarning: () => {} })
process.send!({ url: local.url, startedMs: performance.now() })
process.once('disconnect', () => local.close())
