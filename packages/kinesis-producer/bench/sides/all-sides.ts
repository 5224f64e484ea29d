import type { Input } from './events.ts'
import type { Side, Target } from './side.ts'

/** Only what a side needs is loaded for it. */
type Start = (target: Target) => Promise<Side>

const objects = (input: Input) => input.event
const bytes = (input: Input) => input.bytes
const text = (input: Input) => input.text

/** Enough for eight requests that are full, and as much again that fills the next: of records, and of containers. */
const AWAITED_RECORDS = 8_000
const AWAITED_MEMBERS = 50_000

export const sides = {
  naive: async (target) => (await import('./sdk.ts')).naiveSide(target),
  tuned: async (target) => (await import('./sdk.ts')).tunedSide(target),
  lifionObjects: async (target) => (await import('./peers.ts')).lifionSide(target, objects),
  lifionText: async (target) => (await import('./peers.ts')).lifionSide(target, text),
  awsKinesisWritable: async (target) => (await import('./peers.ts')).awsKinesisWritableSide(target),
  kinesisStreams: async (target) => (await import('./peers.ts')).kinesisStreamsSide(target),
  plain: async (target) => (await import('./ours.ts')).enqueueSide(target, objects, {}),
  plainWithReceipts: async (target) =>
    (await import('./ours.ts')).receiptSide(target, objects, AWAITED_RECORDS, {}),
  plainIgnored: async (target) => (await import('./ours.ts')).ignoredPromiseSide(target, objects, {}),
  bytes: async (target) => (await import('./ours.ts')).enqueueSide(target, bytes, { aggregation: true }),
  bytesWithReceipts: async (target) =>
    (await import('./ours.ts')).receiptSide(target, bytes, AWAITED_MEMBERS, { aggregation: true }),
  objects: async (target) => (await import('./ours.ts')).enqueueSide(target, objects, { aggregation: true }),
  bytesFloor: async (target) => (await import('./floor.ts')).bytesFloorSide(target),
  objectsFloor: async (target) => (await import('./floor.ts')).objectsFloorSide(target),
} satisfies Record<string, Start>

export type SideName = keyof typeof sides
