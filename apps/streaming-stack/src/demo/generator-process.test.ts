import { describe, expect, it } from 'vitest'
import { reasonIn } from './generator-process.js'

describe('reasonIn', () => {
  it.each([
    [
      'an error of the flags, before its hint',
      'error: --x is invalid.\nRun with --help\n',
      '--x is invalid.',
    ],
    [
      'an error among warnings',
      '(node:1) Warning: old\n(Use `node --trace-warnings`)\ndemo-generator: Line 2: no.\n(node:1) later\n',
      'Line 2: no.',
    ],
    [
      'an error of Node',
      'node:internal\n\nRangeError: too long\n    at x\n\nNode.js v24\n',
      'RangeError: too long',
    ],
    ['the last line where none says it is an error', 'a\nb\n', 'b'],
  ])('takes %s', (_, stderr, reason) => {
    expect(reasonIn(stderr)).toBe(reason)
  })

  it('finds none where nothing was said', () => {
    expect(reasonIn('\n')).toBeUndefined()
  })
})
