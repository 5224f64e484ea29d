import { StreamingError } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { ThrottledError } from './monitor-errors.js'
import { retryDelayMs, withRetries } from './retry.js'

const highest = () => 0.999_999
const broken = new StreamingError('broken', { code: 'ENDPOINT_UNREACHABLE', retryable: true })
const final = new StreamingError('final', { code: 'PERMISSION_DENIED', retryable: false })

describe('withRetries', () => {
  it('tries again until it succeeds, waiting on the clock', async () => {
    const clock = new ManualClock()
    let attempts = 0
    const result = withRetries(
      async () => {
        attempts += 1
        if (attempts < 3) throw broken
        return 'done'
      },
      { maxAttempts: 5, clock, random: highest },
    )

    await clock.advance(98)
    expect(attempts).toBe(1)
    await clock.advance(300)

    expect(attempts).toBe(3)
    await expect(result).resolves.toBe('done')
  })

  it('gives up after the last attempt with the last failure', async () => {
    let attempts = 0
    const failing = async () => {
      attempts += 1
      throw broken
    }

    const clock = new ManualClock()
    const result = withRetries(failing, { maxAttempts: 2, clock, random: () => 0 }).catch((error) => error)
    await clock.advance(1_000)

    expect(await result).toBe(broken)
    expect(attempts).toBe(2)
  })

  it('does not repeat what cannot succeed', async () => {
    let attempts = 0
    const failing = async () => {
      attempts += 1
      throw final
    }

    await expect(
      withRetries(failing, { maxAttempts: 5, clock: new ManualClock(), random: highest }),
    ).rejects.toBe(final)
    expect(attempts).toBe(1)
  })

  it('waits longer where it is throttled', () => {
    expect(retryDelayMs(new ThrottledError('kinesis:GetRecords'), 1, highest)).toBeGreaterThan(
      retryDelayMs(broken, 1, highest),
    )
  })
})
