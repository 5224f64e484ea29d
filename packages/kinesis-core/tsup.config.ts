import { library } from '../../tsup.base.js'

export default library({
  entry: {
    index: 'src/index.ts',
    'event-source-mapping/index': 'src/event-source-mapping/index.ts',
    'testing/index': 'src/testing/index.ts',
  },
})
