import { createRequire } from 'node:module'

// In a process of its own, because some input makes it throw where nobody can catch it: it goes on then, and the call has no answer.
process.on('uncaughtException', () => {})
process.on('disconnect', () => process.exit(0))
const kinesalite = createRequire(import.meta.url)('kinesalite')
const server = kinesalite({ createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0, shardLimit: 500 })
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
