import { expect, it } from 'vitest'
import { checkOptionalPeer } from './optional-peer.js'

it('names the package that an option needs, where it is not installed', () => {
  expect(() => checkOptionalPeer('no-such-package', 'parquet', true)).toThrow(
    /^parquet: true cannot be used\. It needs the package no-such-package: install it\./,
  )
  checkOptionalPeer('fast-check', 'parquet', true)
})
