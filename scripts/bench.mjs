// `pnpm bench local --quick --json result.json`: each bench prints a table, and with --json writes `{ bench, machine, sides, ratios }`.
import { runBuilt } from './run-built.mjs'

runBuilt('bench', {
  'cold-start': { workspace: '@org/streaming-stack', file: 'apps/streaming-stack/bench/cold-start.ts' },
  local: { workspace: '@org/kinesis-local', file: 'packages/kinesis-local/bench/local.ts' },
  pipeline: { workspace: '@org/streaming-stack', file: 'apps/streaming-stack/bench/pipeline.ts' },
  processor: { workspace: '@org/kinesis-processor', file: 'packages/kinesis-processor/bench/processor.ts' },
  producer: { workspace: '@org/kinesis-producer', file: 'packages/kinesis-producer/bench/producer.ts' },
  soak: { workspace: '@org/streaming-stack', file: 'apps/streaming-stack/bench/soak.ts' },
})
