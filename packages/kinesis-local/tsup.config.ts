import { library } from '../../tsup.base.js'

export default library({
  entry: {
    index: 'src/index.ts',
    cli: 'src/cli.ts',
    // What a function's child process runs: forked by its path, never imported.
    'function/runner': 'src/function/runner.ts',
  },
})
