import { describe, expect, it } from 'vitest'
import { type ListedShard, planShards, type ShardStatus } from './shard-order.js'

const closed = (shardId: string): ListedShard => ({ shardId, isClosed: true })
const child = (shardId: string, parentShardId: string, adjacentParentShardId?: string): ListedShard => ({
  shardId,
  parentShardId,
  adjacentParentShardId,
  isClosed: false,
})
const known = (statuses: Record<string, ShardStatus>) => new Map(Object.entries(statuses))
const started = (plan: ReturnType<typeof planShards>) =>
  plan.start.map(({ shardId, position }) => `${shardId} ${position}`)

describe('the order of shards', () => {
  it('starts parents first, and children once their parent is done', () => {
    const listed = [closed('a'), child('b', 'a'), child('c', 'a')]

    expect(started(planShards(listed, known({}), 'TRIM_HORIZON'))).toEqual(['a TRIM_HORIZON'])
    expect(started(planShards(listed, known({ a: 'reading' }), 'TRIM_HORIZON'))).toEqual([])
    expect(started(planShards(listed, known({ a: 'done' }), 'TRIM_HORIZON'))).toEqual([
      'b TRIM_HORIZON',
      'c TRIM_HORIZON',
    ])
  })

  it('waits for both parents of a merged shard', () => {
    const listed = [closed('a'), closed('b'), child('c', 'a', 'b')]

    expect(started(planShards(listed, known({ a: 'done', b: 'reading' }), 'TRIM_HORIZON'))).toEqual([])
    expect(started(planShards(listed, known({ a: 'done', b: 'done' }), 'TRIM_HORIZON'))).toEqual([
      'c TRIM_HORIZON',
    ])
  })

  it('is not held back by a parent that has expired', () => {
    expect(started(planShards([child('c', 'long-gone')], known({}), 'TRIM_HORIZON'))).toEqual([
      'c TRIM_HORIZON',
    ])
  })

  it('is still held back by a parent that expires while it is being read', () => {
    expect(started(planShards([child('c', 'a')], known({ a: 'reading' }), 'TRIM_HORIZON'))).toEqual([])
  })

  it('begins at the tip of open shards from LATEST, passes closed ones over, and reads later children whole', () => {
    const first = planShards([closed('a'), child('b', 'a')], known({}), 'LATEST')
    expect(started(first)).toEqual(['b LATEST'])
    expect(first.skip).toEqual(['a'])

    const later = [closed('a'), { ...child('b', 'a'), isClosed: true }, child('c', 'b')]
    expect(started(planShards(later, known({ a: 'done', b: 'done' }), 'LATEST'))).toEqual(['c TRIM_HORIZON'])
  })

  it('begins at a time in the shards that were open then, and reads their children whole', () => {
    const listed = [closed('a'), child('b', 'a'), child('c', 'long-gone')]

    expect(started(planShards(listed, known({}), 'AT_TIMESTAMP'))).toEqual([
      'a AT_TIMESTAMP',
      'c AT_TIMESTAMP',
    ])
    expect(started(planShards(listed, known({ a: 'done', c: 'reading' }), 'AT_TIMESTAMP'))).toEqual([
      'b TRIM_HORIZON',
    ])
  })
})
