import { askScenarios } from './ask-scenarios.js'
import { isRemote } from './endpoints.js'

// Our own service, or the endpoint that the environment names.
askScenarios(isRemote ? 'remote' : 'ours')
