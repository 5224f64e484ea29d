import { describe, expect, it } from 'vitest'
import { InvalidOptionError, StreamingError } from './streaming-error.js'

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
