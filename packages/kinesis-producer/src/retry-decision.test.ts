import { describe, expect, it } from 'vitest'
import { TransportFault } from './put-records-transport.js'
import { decideRetry } from './retry-decision.js'

const policy = { recordTtlMs: 10_000, maxAttempts: 5, backoff: { baseMs: 100, maxMs: 1_000 } }
const aFault = (kind: TransportFault['kind'] = 'transient') =>
  new TransportFault('socket hang up', { kind, reason: 'ECONNRESET', maybeDelivered: true })
const decide = (
  record: { attempts?: number; expiresAtMs?: number; maybeDelivered?: boolean },
  fault = aFault(),
  random = () => 0.5,
) =>
  decideRetry(
    { attempts: 1, expiresAtMs: 10_000, maybeDelivered: false, ...record },
    fault,
    0,
    policy,
    random,
  )

describe('after a failed attempt a record', () => {
  it('is tried again after a delay that doubles, with full jitter, up to the maximum', () => {
    expect([1, 2, 3, 4].map((attempts) => decide({ attempts }))).toEqual(
      [50, 100, 200, 400].map((retryAtMs) => ({ retryAtMs })),
    )
    expect(decide({ attempts: 1 }, aFault(), () => 0)).toEqual({ retryAtMs: 0 })
    expect(
      decideRetry(
        { attempts: 40, expiresAtMs: 10_000, maybeDelivered: false },
        aFault(),
        0,
        { ...policy, maxAttempts: 99 },
        () => 0.5,
      ),
    ).toEqual({ retryAtMs: 500 })
  })

  it('is given up after maxAttempts', () => {
    expect(decide({ attempts: 5, maybeDelivered: true })).toMatchObject({
      error: { code: 'ATTEMPTS_EXHAUSTED', attempts: 5, maybeDelivered: true },
    })
  })

  it('is given up at once where its next turn would come after its time', () => {
    expect(decide({ expiresAtMs: 51 })).toEqual({ retryAtMs: 50 })
    expect(decide({ expiresAtMs: 50 })).toMatchObject({
      error: { code: 'RECORD_EXPIRED', recordTtlMs: 10_000 },
    })
  })

  it('is given up at once where no attempt helps, with the service’s reason', () => {
    expect(decide({ maybeDelivered: true }, aFault('rejected'))).toMatchObject({
      error: { code: 'REQUEST_REJECTED', reason: 'ECONNRESET', maybeDelivered: true },
    })
  })
})
