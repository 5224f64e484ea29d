import type { InvokeEffect, MappingEffect } from './mapping-effects.js'
import { type MappingSettings, resolveMappingSettings } from './mapping-settings.js'
import { ShardMapping } from './shard-mapping.js'
import type { ShardRecord } from './shard-record.js'

/** Times of the tests count from here; a multiple of every window length. */
export const START_MS = Date.UTC(2026, 0, 1)

export function aRecord(sequence: number, overrides: Partial<ShardRecord> = {}): ShardRecord {
  return {
    partitionKey: 'key',
    sequenceNumber: String(1_000 + sequence),
    arrivalMs: START_MS,
    payloadBytes: 100,
    ...overrides,
  }
}

export function records(count: number, overrides: Partial<ShardRecord> = {}): ShardRecord[] {
  return Array.from({ length: count }, (_, index) => aRecord(index, overrides))
}

const noBackoff = { baseMs: 0, maxMs: 0 }

export function aMapping(settings: MappingSettings = {}, random = () => 0.5) {
  return new ShardMapping<ShardRecord>(
    resolveMappingSettings({ retryBackoff: noBackoff, ...settings }),
    random,
  )
}

export function invocations(effects: MappingEffect<ShardRecord>[]): InvokeEffect<ShardRecord>[] {
  return effects.filter((effect) => effect.kind === 'invoke')
}

/** The sequence numbers of each invocation, less the thousand that makes them equally long. */
export function invoked(effects: MappingEffect<ShardRecord>[]): number[][] {
  return invocations(effects).map((effect) => sequences(effect.batch.records))
}

export function sequences(of: readonly ShardRecord[]): number[] {
  return of.map((record) => Number(record.sequenceNumber) - 1_000)
}

/** A response that reports these records as failed. */
export function reporting(...failed: number[]) {
  return {
    ok: true as const,
    payload: {
      batchItemFailures: failed.map((sequence) => ({ itemIdentifier: String(1_000 + sequence) })),
    },
  }
}

export const success = { ok: true as const, payload: null }
export const failure = { ok: false as const }

/**
 * Runs a mapping to its end as a host would: one answer per invocation, in the order in which they were asked for, discards durable at
 * once, time moved on to each wake. Returns all effects in order.
 */
export function runToEnd(
  mapping: ShardMapping<ShardRecord>,
  effects: MappingEffect<ShardRecord>[],
  answer: (
    effect: InvokeEffect<ShardRecord>,
    nowMs: number,
  ) => { ok: true; payload: unknown } | { ok: false },
  nowMs = START_MS,
): MappingEffect<ShardRecord>[] {
  const all = [...effects]
  const open = [...effects]
  let now = nowMs
  for (let steps = 0; open.length > 0; steps += 1) {
    if (steps > 10_000) throw new Error('the mapping does not come to an end')
    const effect = open.shift()!
    let next: MappingEffect<ShardRecord>[] = []
    if (effect.kind === 'invoke') next = mapping.settle(effect.id, answer(effect, now), now)
    else if (effect.kind === 'discard') next = mapping.discarded(effect.id, now)
    else if (effect.kind === 'wake') {
      now = Math.max(now, effect.atMs)
      next = mapping.tick(now)
    }
    all.push(...next)
    open.push(...next)
  }
  return all
}
