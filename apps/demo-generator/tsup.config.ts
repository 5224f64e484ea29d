import { library } from '../../tsup.base.js'

export default library({ entry: { 'user-event': 'src/user-event.ts', cli: 'src/cli.ts' } })
