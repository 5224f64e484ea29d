// `pnpm chaos producer --seeds 2000`, or on the wire with `--wire`: a seed that fails says how to run it alone.
import { runBuilt } from './run-built.mjs'

// Ctrl-C reaches the campaign as well, which then says how far it came.
process.on('SIGINT', () => {})
runBuilt('campaign', {
  producer: { workspace: '@org/kinesis-producer', file: 'packages/kinesis-producer/test/chaos/cli.ts' },
})
