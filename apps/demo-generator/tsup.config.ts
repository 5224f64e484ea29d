import { library } from '../../tsup.base.js'

export default library({
  entry: {
    'user-event': 'src/user-event.ts',
    'command-line': 'src/command-line.ts',
    cli: 'src/cli.ts',
  },
})
