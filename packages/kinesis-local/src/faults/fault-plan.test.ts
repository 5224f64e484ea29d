import { describe, expect, it } from 'vitest'
import type { FaultCall } from './fault-action.js'
import { faultPlan } from './fault-plan.js'

const calls = (count: number, service: FaultCall['service'] = 'kinesis'): FaultCall[] =>
  Array.from({ length: count }, (_, index) => ({
    service,
    operation: 'PutRecords',
    number: index + 1,
    shardIds: () => [],
  }))

describe('a seeded fault plan', () => {
  it('meets each kind about as often as asked', () => {
    const plan = faultPlan({ seed: 1, rates: { throttle: 0.1, stall: 0.2, 'reset-after': 0.05 } })
    const counts = Object.groupBy(calls(20_000), (call) => plan(call)?.kind ?? 'none')

    expect(counts.throttle!.length / 20_000).toBeCloseTo(0.1, 1)
    expect(counts.stall!.length / 20_000).toBeCloseTo(0.2, 1)
    expect(counts['reset-after']!.length / 20_000).toBeCloseTo(0.05, 1)
    expect(Object.keys(counts).sort()).toEqual(['none', 'reset-after', 'stall', 'throttle'])
  })

  it('is the same for the same seed, whatever order calls of two services come in, and another for another', () => {
    const options = { rates: { throttle: 0.5 } }
    const plan = faultPlan({ seed: 7, ...options })
    const [kinesis, dynamodb] = [calls(200), calls(200, 'dynamodb')]
    const one = [...kinesis, ...dynamodb].map((call) => [call.service, call.number, plan(call)])
    const again = faultPlan({ seed: 7, ...options })
    const other = kinesis.flatMap((call, index) => [dynamodb[index]!, call])

    const byCall = new Map(other.map((call) => [`${call.service}/${call.number}`, again(call)]))
    for (const [service, number, fault] of one) expect(byCall.get(`${service}/${number}`)).toEqual(fault)
    expect(kinesis.map(faultPlan({ seed: 8, ...options }))).not.toEqual(kinesis.map(plan))
    expect(dynamodb.map(plan)).not.toEqual(kinesis.map(plan))
  })

  it('leaves other operations alone', () => {
    const plan = faultPlan({ seed: 1, rates: { throttle: 1 }, operations: ['GetRecords'] })

    expect(
      plan({ service: 'kinesis', operation: 'PutRecords', number: 1, shardIds: () => [] }),
    ).toBeUndefined()
    expect(plan({ service: 'kinesis', operation: 'GetRecords', number: 1, shardIds: () => [] })).toEqual({
      kind: 'throttle',
    })
  })

  it.each(['stall', 'late'] as const)('draws how long a %s is, up to the longest', (kind) => {
    const plan = faultPlan({ seed: 1, rates: { [kind]: 1 }, maxStallMs: 50 })
    const delays = calls(200).map((call) => (plan(call) as { delayMs: number }).delayMs)

    expect(Math.max(...delays)).toBeLessThanOrEqual(50)
    expect(new Set(delays).size).toBeGreaterThan(150)
  })

  it('leaves entries out of answers as often as it adds one', () => {
    const plan = faultPlan({ seed: 1, rates: { 'wrong-entry-count': 1 } })
    const changes = calls(1_000).map((call) => (plan(call) as { change: number }).change)

    expect(changes.filter((change) => change === 1).length).toBeGreaterThan(400)
    expect(changes.filter((change) => change === -1).length).toBeGreaterThan(400)
  })

  it('makes the calls of one shard slow', () => {
    const plan = faultPlan({
      seed: 1,
      rates: {},
      slowShard: { shardId: 'shardId-000000000001', delayMs: 300 },
    })
    const call = { service: 'kinesis', operation: 'GetRecords', number: 1 } as const

    expect(plan({ ...call, shardIds: () => ['shardId-000000000001'] })).toEqual({
      kind: 'stall',
      delayMs: 300,
    })
    expect(plan({ ...call, shardIds: () => ['shardId-000000000000'] })).toBeUndefined()
  })

  it.each([
    [{ seed: 1.5, rates: {} }, 'seed'],
    [{ seed: 1, rates: { throttle: 2 } }, 'rates.throttle'],
    [{ seed: 1, rates: { throttle: 0.6, stall: 0.6 } }, 'at most 1'],
    [{ seed: 1, rates: { crash: 0.1 } as object }, 'crash'],
    [{ seed: 1, rates: {}, partialFraction: -1 }, 'partialFraction'],
    [{ seed: 1, rates: {}, maxStallMs: Number.NaN }, 'maxStallMs'],
    [{ seed: 1, rates: {}, skewMs: Number.NaN }, 'skewMs'],
    [{ seed: 1, rates: {}, slowShard: { shardId: 'a', delayMs: -1 } }, 'slowShard.delayMs'],
  ])('refuses %j', (options, named) => {
    expect(() => faultPlan(options)).toThrow(named)
  })
})
