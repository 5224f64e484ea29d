import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { differences } from './differences.js'
import { type Endpoint, type EndpointName, endpoints, isRemote, letsTimeGoBy } from './endpoints.js'
import type { Scenario } from './scenario.js'
import { scenarios } from './scenarios/index.js'

/** Every scenario as a test of that endpoint. A file for each endpoint, so that they are asked side by side. */
export function askScenarios(name: EndpointName): void {
  describe(`${name} answers as the documents of the service say`, () => {
    let endpoint: Endpoint

    beforeAll(async () => {
      endpoint = await endpoints[name]()
    }, 60_000)
    afterAll(() => endpoint?.close(), 300_000)

    it.each(scenarios.filter((scenario) => isAsked(name, scenario)))(
      '$name',
      async ({ name: scenario, document, ask, expected }) => {
        const explanation = name === 'remote' ? undefined : differences[scenario]?.[name]

        const answer = await ask(endpoint.service).catch((error: Error) => ({ failed: error.name }))

        if (explanation === undefined) expect(answer, document).toEqual(expected)
        // An explanation that no longer applies is as wrong as a difference without one.
        else expect(answer, `no longer true: ${explanation}`).not.toEqual(expected)
      },
      isRemote ? 900_000 : 60_000,
    )
  })
}

function isAsked(name: EndpointName, { needsTime, notAsked }: Scenario): boolean {
  return (!needsTime || letsTimeGoBy(name)) && notAsked?.[name] === undefined
}
