import { library } from '../../tsup.base.js'

export default library({
  entry: {
    'handlers/stream-processor': 'src/handlers/stream-processor.ts',
    'handlers/data-transform': 'src/handlers/data-transform.ts',
    'handlers/windows': 'src/handlers/windows.ts',
    'demo/cli': 'src/demo/cli.ts',
  },
})
