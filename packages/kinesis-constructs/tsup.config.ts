import { library } from '../../tsup.base.js'

export default library({
  entry: { index: 'src/index.ts' },
  format: ['esm', 'cjs'],
  // Core is ESM only; bundled with its types, what the constructs need of it serves `require` as well.
  noExternal: ['@org/kinesis-core'],
  dts: {
    resolve: ['@org/kinesis-core'],
    compilerOptions: { paths: { '@org/kinesis-core': ['../kinesis-core/dist/index.d.ts'] } },
  },
})
