import { describe, expect, it } from 'vitest'
import { ShardLineage } from './shard-lineage.js'

const shard = (shardId: string, ...parentShardIds: string[]) => ({ shardId, parentShardIds })

describe('ShardLineage', () => {
  it('lets children be read after their parent', () => {
    const lineage = new ShardLineage()
    lineage.learn([shard('parent'), shard('left', 'parent'), shard('right', 'parent')])

    expect(lineage.takeReady()).toEqual(['parent'])
    expect(lineage.takeReady()).toEqual([])
    lineage.finish('parent')

    expect(lineage.takeReady()).toEqual(['left', 'right'])
  })

  it('lets a merged shard be read after both of its parents', () => {
    const lineage = new ShardLineage()
    lineage.learn([shard('merged', 'a', 'b'), shard('a'), shard('b')])

    expect(lineage.takeReady()).toEqual(['a', 'b'])
    lineage.finish('a')
    expect(lineage.takeReady()).toEqual([])
    lineage.finish('b')

    expect(lineage.takeReady()).toEqual(['merged'])
  })

  it('does not wait for a parent that has expired', () => {
    const lineage = new ShardLineage()
    lineage.learn([shard('child', 'gone')])

    expect(lineage.takeReady()).toEqual(['child'])
  })

  it('gives a shard once, however often it is named', () => {
    const lineage = new ShardLineage()
    lineage.learn([shard('a')])
    lineage.takeReady()
    lineage.learn([shard('a')])
    lineage.finish('a')
    lineage.learn([shard('a')])

    expect(lineage.takeReady()).toEqual([])
  })

  it('knows whether a closed shard has been succeeded', () => {
    const lineage = new ShardLineage()
    lineage.learn([shard('a'), shard('b'), shard('c', 'a')])

    expect(lineage.hasChild('a')).toBe(true)
    expect(lineage.hasChild('b')).toBe(false)
  })
})
