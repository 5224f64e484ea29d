import { askScenarios } from './ask-scenarios.js'

askScenarios('kinesalite')
