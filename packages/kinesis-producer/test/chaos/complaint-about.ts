import { ChaosError } from './chaos-error.ts'
import { type ProducerClass, runSeed } from './run-seed.ts'
import { drawScenario, type Scenario } from './scenario.ts'
import type { Rule } from './violation.ts'

/** The first complaint about this rule, or about a run that broke off, in a campaign of some seeds. */
export async function complaintAbout(
  Producer: ProducerClass,
  rule?: Rule,
  isMeant: (scenario: Scenario) => boolean = () => true,
): Promise<ChaosError | undefined> {
  for (let seed = 1, left = 200; left > 0; seed++) {
    if (!isMeant(drawScenario(seed, 'simulated'))) continue
    left--
    try {
      await runSeed(seed, 'simulated', Producer)
    } catch (error) {
      if (!(error instanceof ChaosError)) throw error
      const { violations } = error
      const isBroken =
        rule === undefined ? violations.length === 0 : violations.some((one) => one.rule === rule)
      if (isBroken) return error
    }
  }
  return undefined
}
