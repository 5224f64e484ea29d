import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { resolveSpoolOptions, type SpoolOptions } from './spool-options.js'

const MiB = 1024 * 1024

describe('the options of a spool', () => {
  it('need no more than a directory', () => {
    expect(resolveSpoolOptions({ directory: 'spool' })).toEqual({
      directory: 'spool',
      fsync: 'interval',
      fsyncIntervalMs: 100,
      maxBytes: 1024 * MiB,
      segmentBytes: 16 * MiB,
    })
  })

  it('have smaller segments where less than a segment is allowed', () => {
    expect(resolveSpoolOptions({ directory: 'spool', maxBytes: MiB })).toMatchObject({ segmentBytes: MiB })
  })

  it.each<[string, unknown, string]>([
    ['spool', undefined, 'Pass at least { directory }'],
    ['spool.directory', {}, 'Pass the path of a directory'],
    ['spool.directory', { directory: '' }, 'Pass the path of a directory'],
    ['spool.directory', { directory: 'a\0b' }, 'Pass the path of a directory'],
    ['fsyncs', { directory: 'spool', fsyncs: 'always' }, 'There is no such option'],
    ['spool.fsync', { directory: 'spool', fsync: 'sometimes' }, "Use 'always', 'interval' or 'never'"],
    ['spool.fsyncIntervalMs', { directory: 'spool', fsyncIntervalMs: 0 }, 'from 1 to 60000'],
    ['spool.maxBytes', { directory: 'spool', maxBytes: 1.5 }, 'Use a whole number'],
    ['spool.segmentBytes', { directory: 'spool', segmentBytes: 4_095 }, 'from 4096 to 268435456'],
    ['spool.maxBytes', { directory: 'spool', maxBytes: 5_000, segmentBytes: 6_000 }, 'A segment must fit'],
  ])('name %s, what was passed, and the remedy', (option, options, remedy) => {
    const resolve = () => resolveSpoolOptions(options as SpoolOptions)
    expect(resolve).toThrow(remedy)
    expect(resolve).toThrow(InvalidOptionError)
    expect(resolve).toThrow(expect.objectContaining({ option }))
  })
})
