import { describe, expect, it } from 'vitest'
import { differences, type Explained } from './differences.js'
import { scenarios } from './scenarios/index.js'

describe('the table of differences', () => {
  it('speaks of scenarios that exist, and says why', () => {
    const names = new Set(scenarios.map(({ name }) => name))
    const reasons = Object.values(differences).flatMap((explained: Explained) => Object.values(explained))

    expect(names.size).toBe(scenarios.length)
    expect(Object.keys(differences).filter((scenario) => !names.has(scenario))).toEqual([])
    expect(reasons.filter((reason) => reason.length < 10)).toEqual([])
  })
})
