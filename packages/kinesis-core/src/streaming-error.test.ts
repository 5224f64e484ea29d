import { describe, expect, it } from 'vitest'
import { InvalidOptionError, refuseUnknownOptions, StreamingError } from './streaming-error.js'

describe('StreamingError', () => {
  it('carries code, retryable and cause, and is named for its class', () => {
    class ShardBusyError extends StreamingError {}
    const cause = new Error('socket closed')
    const error = new ShardBusyError('the shard is busy', { code: 'SHARD_BUSY', retryable: true, cause })

    expect(error).toMatchObject({ name: 'ShardBusyError', code: 'SHARD_BUSY', retryable: true, cause })
    expect(StreamingError.isInstance(error)).toBe(true)
  })

  it.each([undefined, null, 'text', new Error('plain')])('does not take %s for one of ours', (value) => {
    expect(StreamingError.isInstance(value)).toBe(false)
  })
})

describe('InvalidOptionError', () => {
  it('names the option, its value and the remedy', () => {
    const error = new InvalidOptionError('lingerMs', -1, 'Give 0 or more milliseconds.')

    expect(error.message).toBe('lingerMs: -1 cannot be used. Give 0 or more milliseconds.')
    expect(error).toMatchObject({ option: 'lingerMs', code: 'INVALID_OPTION', retryable: false })
  })

  it('cuts long values and never prints objects', () => {
    expect(new InvalidOptionError('a', 'x'.repeat(500), '').message.length).toBeLessThan(150)
    expect(new InvalidOptionError('a', { secret: 1 }, '').message).not.toContain('secret')
  })
})

describe('unknown options', () => {
  it('are refused by name, with those that exist', () => {
    expect(() => refuseUnknownOptions({ lingerMS: 3 }, ['streamName', 'lingerMs'])).toThrow(
      'lingerMS: 3 cannot be used. There is no such option. Known are streamName, lingerMs.',
    )
    expect(() => refuseUnknownOptions({ streamName: 'a' }, ['streamName'])).not.toThrow()
    expect(() => refuseUnknownOptions('orders', ['streamName'])).toThrow(/^options: "orders"/)
  })
})

describe('names', () => {
  it('are those of the classes, also where a bundler has renamed these', () => {
    const Minified = class a extends InvalidOptionError {}

    expect(new InvalidOptionError('a', 1, '').name).toBe('InvalidOptionError')
    expect(new Minified('a', 1, '').name).toBe('InvalidOptionError')
  })
})
