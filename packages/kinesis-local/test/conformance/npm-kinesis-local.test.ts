import { askScenarios } from './ask-scenarios.js'

askScenarios('npm kinesis-local')
