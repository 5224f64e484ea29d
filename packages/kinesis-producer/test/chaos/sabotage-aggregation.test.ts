import { AggregateBuilder } from '@org/kinesis-core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { AgeList } from '../../src/age-list.js'
import { membersOf } from '../../src/entry-members.js'
import { KinesisProducer } from '../../src/index.js'
import { PendingEntry } from '../../src/pending-entry.js'
import { RecordBuffer } from '../../src/record-buffer.js'
import { RecordPacker } from '../../src/record-packer.js'
import { ShardMap } from '../../src/shard-map.js'
import { ChaosError } from './chaos-error.js'
import { complaintAbout } from './complaint-about.js'
import type { Scenario } from './scenario.js'
import type { Rule } from './violation.js'

// Packing is inside of the producer, out of the reach of a subclass: here its parts are broken themselves.

function takesAnyShardForTheRightOne() {
  vi.spyOn(ShardMap.prototype, 'shardHolds').mockReturnValue(true)
}

function packsKeysTogether() {
  vi.spyOn(RecordPacker.prototype, 'openFor').mockImplementation(function (this: RecordPacker) {
    return this.allOpen()[0]
  })
}

function losesTheLastOfADividedAggregate() {
  const { insertBefore } = AgeList.prototype
  vi.spyOn(AgeList.prototype, 'insertBefore').mockImplementation(function (this: AgeList, entry, parts) {
    for (const part of parts.filter(({ isAggregate }) => isAggregate)) {
      const builder = new AggregateBuilder()
      for (const member of membersOf(part).slice(0, -1)) builder.add(member)
      part.data = builder.finish()
    }
    insertBefore.call(this, entry, parts)
  })
}

function forgetsAPartOfADividedAggregate() {
  const { insertBefore } = AgeList.prototype
  vi.spyOn(AgeList.prototype, 'insertBefore').mockImplementation(function (this: AgeList, entry, parts) {
    ;(parts as PendingEntry[]).pop()
    insertBefore.call(this, entry, parts)
  })
}

function givesAllTheFirstPlace() {
  const { resolve } = PendingEntry.prototype
  vi.spyOn(PendingEntry.prototype, 'resolve').mockImplementation(function (this: PendingEntry, receipt) {
    this.settlers = this.settlers?.map((settler, index) =>
      index % 2 === 1 || settler === undefined
        ? settler
        : (told: object) => (settler as (told: object) => void)({ ...told, subSequenceNumber: 0 }),
    )
    resolve.call(this, receipt)
  })
}

function countsWhatGrowsTwice() {
  vi.spyOn(RecordBuffer.prototype, 'recharge').mockImplementation(function (this: RecordBuffer, entry) {
    this.charge(entry)
  })
}

function forgetsTheTime() {
  vi.spyOn(RecordPacker.prototype, 'noteAtMs', 'get').mockReturnValue(Number.POSITIVE_INFINITY)
}

const mixesKeys = ({ producer }: Scenario) => producer.aggregation !== false && producer.ordering === 'none'
const isTorn = (scenario: Scenario) => mixesKeys(scenario) && scenario.reshards.length > 0
const packsByKey = ({ producer }: Scenario) =>
  producer.aggregation !== false && producer.ordering === 'per-key'
const packsInHaste = (scenario: Scenario) => packs(scenario) && scenario.producer.recordTtlMs < 3_000
// With one that has no room for ever, putAll tries for ever.
const packsOneByOne = (scenario: Scenario) =>
  packs(scenario) && !['any', 'put-all'].includes(scenario.traffic.way)
const packs = ({ producer }: Scenario) => producer.aggregation !== false

describe('the campaign notices a producer that', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.each<[string, () => void, Rule | undefined, (scenario: Scenario) => boolean]>([
    ['takes any shard for the right one', takesAnyShardForTheRightOne, 'members lie in their shard', isTorn],
    ['packs keys together that have an order', packsKeysTogether, 'members lie in their shard', packsByKey],
    ['loses a record of a divided aggregate', losesTheLastOfADividedAggregate, 'delivered is there', isTorn],
    ['forgets a part of a divided aggregate', forgetsAPartOfADividedAggregate, undefined, isTorn],
    ['gives all records of an aggregate the first place', givesAllTheFirstPlace, 'delivered is there', packs],
    ['counts an aggregate that grows twice', countsWhatGrowsTwice, 'nothing is left', packsOneByOne],
    ['lets old aggregates take records', forgetsTheTime, 'fails for a reason', packsInHaste],
  ])('%s', { timeout: 120_000 }, async (_name, sabotage, rule, isMeant) => {
    sabotage()
    expect(await complaintAbout(KinesisProducer, rule, isMeant)).toBeInstanceOf(ChaosError)
  })
})
