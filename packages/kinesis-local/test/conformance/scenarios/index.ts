import type { Scenario } from '../scenario.js'
import { consumerScenarios } from './consumers.js'
import { errorScenarios } from './errors.js'
import { limitScenarios } from './limits.js'
import { listShardsScenarios } from './list-shards.js'
import { modeScenarios } from './modes.js'
import { readScenarios } from './reads.js'
import { reshardScenarios } from './reshards.js'
import { settingsScenarios } from './settings.js'
import { streamScenarios } from './streams.js'
import { writeScenarios } from './writes.js'

export const scenarios: readonly Scenario[] = [
  ...streamScenarios,
  ...listShardsScenarios,
  ...writeScenarios,
  ...limitScenarios,
  ...readScenarios,
  ...reshardScenarios,
  ...settingsScenarios,
  ...modeScenarios,
  ...consumerScenarios,
  ...errorScenarios,
]
