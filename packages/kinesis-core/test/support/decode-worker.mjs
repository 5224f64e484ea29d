import { parentPort } from 'node:worker_threads'
import { decodeAggregate } from '@org/kinesis-core'

parentPort.once('message', (container) => {
  const before = process.cpuUsage()
  const decoded = decodeAggregate(container)
  const { user, system } = process.cpuUsage(before)
  parentPort.postMessage({ count: decoded.records?.length, cpuMs: (user + system) / 1000 })
})
