// Run as a process of its own, which the test kills: appends to a spool, and prints each position when the append has returned.
import { writeSync } from 'node:fs'
import { registerHooks } from 'node:module'

// The sources as they are: a spool is no export of the package.
registerHooks({
  resolve: (specifier, context, next) =>
    next(
      context.parentURL?.includes('/src/') ? specifier.replace(/^(\..*)\.js$/, '$1.ts') : specifier,
      context,
    ),
})
const { Spool } = await import('../src/spool/spool.ts')
const { resolveSpoolOptions } = await import('../src/spool/spool-options.ts')
const { systemClock } = await import('@org/kinesis-core')

const { directory, fsync, records, close } = JSON.parse(process.argv[2])
const options = resolveSpoolOptions({ directory, fsync, segmentBytes: 65_536, fsyncIntervalMs: 5 })
const spool = await Spool.open(options, { clock: systemClock })
for await (const { position } of spool.recovered) writeSync(1, `recovered ${position}\n`)
writeSync(1, 'ready\n')
for (let count = 0; count < records; count++) {
  const data = Buffer.alloc((count * 37) % 1_000, `${count},`)
  const position = spool.append({ partitionKey: `user_${count}`, explicitHashKey: undefined, data })
  writeSync(1, `appended ${position}\n`)
  if (count % 3 === 0) {
    spool.settle(position)
    writeSync(1, `settled ${position}\n`)
  }
  if (count % 100 === 99) await new Promise((resolve) => setTimeout(resolve))
}
if (close) await spool.close()
