import { describe, expect, it } from 'vitest'
import { nodeVersionComplaint } from './node-version.js'

const packageFile = new URL('../../package.json', import.meta.url)

describe('nodeVersionComplaint', () => {
  it('names the version that is needed, and how to get it, on an older one', () => {
    expect(nodeVersionComplaint('20.20.2', packageFile)).toMatch(
      /^This is Node 20\.20\.2; 22 or newer is needed\..*pnpm exec node/,
    )
  })

  it('has nothing to say on the others', () => {
    expect(nodeVersionComplaint('22.0.0', packageFile)).toBeUndefined()
    expect(nodeVersionComplaint(undefined, packageFile)).toBeUndefined()
  })
})
