import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { aDelivery, aFunction, aSnapshot, NOW } from '../../test/support/a-snapshot.js'
import { assessHealth } from './assess-health.js'
import type { HealthSnapshot } from './health-snapshot.js'
import { DEFAULT_THRESHOLDS, type HealthThresholds } from './health-thresholds.js'

const health = assessHealth
const find = (rule: string, snapshot: HealthSnapshot, thresholds: HealthThresholds = {}) =>
  health(snapshot, thresholds).findings.filter((finding) => finding.rule === rule)

/** One value per minute, from the first to the last in equal steps. */
const ramp = (first: number, last: number) =>
  Array.from({ length: 15 }, (_, index) => first + ((last - first) * index) / 14)
/** Values in the first minutes, and nothing in the `silent` last ones. */
const until = (silent: number, value: number) =>
  Array.from({ length: 15 }, (_, index) => (index < 15 - silent ? value : undefined))
/** Nothing, and values in the last minutes only. */
const since = (lastMinutes: number, value: number) =>
  Array.from({ length: 15 }, (_, index) => (index >= 15 - lastMinutes ? value : undefined))

const HOUR = 3_600_000

describe('a stream whose consumer keeps up', () => {
  it('is healthy, with nothing to do', () => {
    expect(health(aSnapshot())).toEqual({
      overallStatus: 'HEALTHY',
      issues: [],
      recommendations: [],
      findings: [],
      checkedAtMs: NOW,
    })
  })

  it('is healthy with functions and deliveries that do their work', () => {
    const snapshot = aSnapshot({ functions: [aFunction()], deliveryStreams: [aDelivery()] })

    expect(health(snapshot).findings).toEqual([])
  })

  it('is healthy while nobody writes and the consumer polls', () => {
    const snapshot = aSnapshot({
      metrics: { incomingRecords: undefined, incomingBytes: undefined, outgoingRecords: 0 },
    })

    expect(health(snapshot).overallStatus).toBe('HEALTHY')
  })
})

describe('overall status', () => {
  it('is the worst of the findings, which come first', () => {
    const snapshot = aSnapshot({
      metrics: { readThroughputExceeded: 40 },
      functions: [aFunction({ errors: 10 })],
    })

    const { overallStatus, findings, issues } = health(snapshot)

    expect(overallStatus).toBe('CRITICAL')
    expect(findings.map((finding) => finding.severity)).toEqual(['CRITICAL', 'WARNING'])
    expect(issues[0]).toContain('clicks-processor')
  })

  it('says the same advice once', () => {
    const functions = [aFunction({ iteratorAge: 120_000 })]
    const snapshot = aSnapshot({ metrics: { iteratorAge: 120_000 }, functions })

    const { findings, recommendations } = health(snapshot)

    expect(findings).toHaveLength(2)
    expect(recommendations).toHaveLength(1)
  })

  it('gives commands that reach the same region', () => {
    const { findings } = health(aSnapshot({ metrics: { readThroughputExceeded: 40, iteratorAge: 120_000 } }))

    for (const finding of findings) expect(finding.remedy).toMatch(/^aws .* --region eu-west-1$/)
  })
})

describe('stream-not-active', () => {
  it.each([
    ['CREATING', 'WARNING'],
    ['UPDATING', 'WARNING'],
    ['DELETING', 'CRITICAL'],
  ] as const)('fires while the stream is %s', (status, severity) => {
    expect(find('stream-not-active', aSnapshot({ stream: { status } }))).toMatchObject([{ severity }])
  })

  it('does not fire while it is ACTIVE', () => {
    expect(find('stream-not-active', aSnapshot())).toEqual([])
  })
})

describe('no-metrics', () => {
  const nothing = {
    incomingRecords: undefined,
    incomingBytes: undefined,
    outgoingRecords: undefined,
    outgoingBytes: undefined,
    writeThroughputExceeded: undefined,
    readThroughputExceeded: undefined,
    iteratorAge: undefined,
    getRecordsSuccess: undefined,
  }

  it('fires where nothing was published, so that silence is never called healthy', () => {
    expect(health(aSnapshot({ metrics: nothing }))).toMatchObject({
      overallStatus: 'UNKNOWN',
      findings: [{ rule: 'no-metrics', severity: 'UNKNOWN' }],
    })
  })

  it('does not fire where a metric was published, be it zero', () => {
    expect(find('no-metrics', aSnapshot({ metrics: { ...nothing, outgoingRecords: 0 } }))).toEqual([])
  })
})

describe('metrics-incomplete', () => {
  it('fires where CloudWatch did not give everything', () => {
    const snapshot = aSnapshot({ complete: false, problems: ['cloudwatch:GetMetricData is throttled.'] })

    const { overallStatus, findings } = health(snapshot)

    expect(overallStatus).toBe('UNKNOWN')
    expect(findings).toMatchObject([
      { rule: 'metrics-incomplete', evidence: 'cloudwatch:GetMetricData is throttled.' },
    ])
  })

  it('does not hide what is known to be wrong', () => {
    const snapshot = aSnapshot({ complete: false, metrics: { readThroughputExceeded: 40 } })

    expect(health(snapshot).overallStatus).toBe('WARNING')
  })

  it('does not fire where all was read', () => {
    expect(find('metrics-incomplete', aSnapshot())).toEqual([])
  })
})

describe('write-throttled', () => {
  /** Two shards take 120,000 records a minute. */
  const full = { incomingRecords: 110_000, outgoingRecords: 110_000 }

  it('fires on throttled writes, and asks for more shards where they are full', () => {
    const snapshot = aSnapshot({ metrics: { ...full, writeThroughputExceeded: 500 } })

    const [finding] = find('write-throttled', snapshot)

    expect(finding).toMatchObject({ severity: 'WARNING', issue: 'Write throughput exceeded' })
    expect(finding?.remedy).toContain('update-shard-count --stream-name clicks --target-shard-count 4')
  })

  it('sees the limit of bytes as well', () => {
    const metrics = { incomingBytes: 120 * 2 ** 20, writeThroughputExceeded: 1 }

    expect(find('write-throttled', aSnapshot({ metrics }))[0]?.remedy).toContain('update-shard-count')
  })

  it('suspects a hot shard where the stream has room', () => {
    const [finding] = find('write-throttled', aSnapshot({ metrics: { writeThroughputExceeded: 1 } }))

    expect(finding?.cause).toContain('hot shard')
    expect(finding?.remedy).toContain('enable-enhanced-monitoring')
  })

  it('asks for no shards of a stream that has none to give', () => {
    const stream = { mode: 'ON_DEMAND' as const }

    const [finding] = find(
      'write-throttled',
      aSnapshot({ stream, metrics: { ...full, writeThroughputExceeded: 1 } }),
    )

    expect(finding?.remedy).not.toContain('update-shard-count')
  })

  it('is critical from the share of records that the caller sets', () => {
    const snapshot = aSnapshot({ metrics: { writeThroughputExceeded: 20 } })

    expect(find('write-throttled', snapshot)[0]?.severity).toBe('CRITICAL')
    expect(find('write-throttled', snapshot, { criticalShare: 0.5 })[0]?.severity).toBe('WARNING')
  })

  it('counts the throttled entries of batches', () => {
    const snapshot = aSnapshot({
      metrics: { writeThroughputExceeded: undefined, putRecordsThrottledRecords: 3 },
    })

    expect(find('write-throttled', snapshot)).toHaveLength(1)
  })

  it('does not fire on a full stream that throttles nothing', () => {
    expect(find('write-throttled', aSnapshot({ metrics: full }))).toEqual([])
  })
})

describe('read-throttled', () => {
  it('fires on throttled reads', () => {
    const [finding] = find('read-throttled', aSnapshot({ metrics: { readThroughputExceeded: 40 } }))

    expect(finding).toMatchObject({ severity: 'WARNING', issue: 'Read throughput exceeded' })
    expect(finding?.remedy).toContain('register-stream-consumer --stream-arn arn:aws:kinesis')
  })

  it('does not fire without, or on the few that consumers of one shard always meet', () => {
    const few = aSnapshot({ metrics: { readThroughputExceeded: since(1, 10) } })

    expect(find('read-throttled', few)).toEqual([])
    expect(find('read-throttled', few, { throttledReads: 9 })).toHaveLength(1)
    expect(find('read-throttled', aSnapshot())).toEqual([])
  })
})

describe('records-failed', () => {
  it('fires on entries of batches that failed inside the service', () => {
    const metrics = { putRecordsTotalRecords: 1_000, putRecordsFailedRecords: 1 }

    expect(find('records-failed', aSnapshot({ metrics }))).toMatchObject([{ severity: 'WARNING' }])
  })

  it('is critical where many failed', () => {
    const metrics = { putRecordsTotalRecords: 1_000, putRecordsFailedRecords: 100 }

    expect(find('records-failed', aSnapshot({ metrics }))).toMatchObject([{ severity: 'CRITICAL' }])
  })

  it('does not fire where every entry was written', () => {
    const metrics = { putRecordsTotalRecords: 1_000, putRecordsFailedRecords: 0 }

    expect(find('records-failed', aSnapshot({ metrics }))).toEqual([])
  })
})

function readsSucceed(sum: number, calls: number): HealthSnapshot {
  const snapshot = aSnapshot()
  const getRecordsSuccess = { ...snapshot.metrics.getRecordsSuccess, sum, average: sum / calls }
  return { ...snapshot, metrics: { ...snapshot.metrics, getRecordsSuccess } }
}

describe('reads-failing', () => {
  it('fires where too few GetRecords calls succeed', () => {
    const snapshot = readsSucceed(900, 1_000)

    expect(find('reads-failing', snapshot)).toHaveLength(1)
    expect(find('reads-failing', snapshot, { readSuccess: 0.8 })).toEqual([])
    expect(find('reads-failing', readsSucceed(0, 3))).toHaveLength(1)
  })

  it('does not fire where a few of a few failed', () => {
    expect(find('reads-failing', readsSucceed(12, 13))).toEqual([])
    expect(find('reads-failing', readsSucceed(12, 13), { throttledReads: 0 })).toHaveLength(1)
  })

  it('does not fire where they succeed, or where nobody calls', () => {
    expect(find('reads-failing', aSnapshot())).toEqual([])
    expect(find('reads-failing', aSnapshot({ metrics: { getRecordsSuccess: undefined } }))).toEqual([])
  })
})

describe('consumer-lag-volume', () => {
  it('fires where much more comes in than goes out', () => {
    const [finding] = find('consumer-lag-volume', aSnapshot({ metrics: { outgoingRecords: 60 } }))

    expect(finding).toMatchObject({ severity: 'WARNING', issue: 'Consumer lag detected' })
  })

  it('does not fire within the ratio that the caller sets', () => {
    const snapshot = aSnapshot({ metrics: { outgoingRecords: 60 } })

    expect(find('consumer-lag-volume', snapshot, { lagRatio: 2 })).toEqual([])
    expect(find('consumer-lag-volume', aSnapshot({ metrics: { outgoingRecords: 70 } }))).toEqual([])
  })

  it('expects every consumer to read every record', () => {
    const oneOfTwoReads = aSnapshot({ pollingConsumers: 2 })
    const bothRead = aSnapshot({ pollingConsumers: 2, metrics: { outgoingRecords: 200 } })

    expect(find('consumer-lag-volume', oneOfTwoReads)).toHaveLength(1)
    expect(find('consumer-lag-volume', bothRead)).toEqual([])
  })

  it('does not fire where nobody is expected to poll', () => {
    const snapshot = aSnapshot({ pollingConsumers: 0, metrics: { outgoingRecords: 1 } })

    expect(find('consumer-lag-volume', snapshot)).toEqual([])
  })
})

describe('consumer-lag-age', () => {
  it('fires where the oldest record that was read is old', () => {
    const [finding] = find('consumer-lag-age', aSnapshot({ metrics: { iteratorAge: 90_000 } }))

    expect(finding).toMatchObject({ severity: 'WARNING', subject: 'clicks' })
    expect(finding?.evidence).toContain('90 s behind')
  })

  it('does not fire below the age that the caller sets', () => {
    expect(find('consumer-lag-age', aSnapshot({ metrics: { iteratorAge: 59_000 } }))).toEqual([])
    expect(
      find('consumer-lag-age', aSnapshot({ metrics: { iteratorAge: 90_000 } }), { iteratorAgeMs: 100_000 }),
    ).toEqual([])
  })

  it('says when records will be lost, and is critical where that is soon', () => {
    // Ten hours behind, and five minutes more every minute: the retention of 24 h is met in 2.8 h.
    const iteratorAge = ramp(10 * HOUR - 14 * 5 * 60_000, 10 * HOUR)

    const [finding] = find('consumer-lag-age', aSnapshot({ metrics: { iteratorAge } }))

    expect(finding?.severity).toBe('CRITICAL')
    expect(finding?.evidence).toContain('lost in 2.8 h')
    expect(finding?.remedy).toContain('increase-stream-retention-period')
  })

  it('is no more than a warning where that is far off, as the caller sees it', () => {
    const iteratorAge = ramp(10 * HOUR - 14 * 5 * 60_000, 10 * HOUR)

    const [finding] = find('consumer-lag-age', aSnapshot({ metrics: { iteratorAge } }), {
      dataLossHorizonMs: 2 * HOUR,
    })

    expect(finding?.severity).toBe('WARNING')
  })

  it('is critical where half of the retention is used up, even while it shrinks', () => {
    const snapshot = aSnapshot({ metrics: { iteratorAge: ramp(14 * HOUR, 13 * HOUR) } })

    expect(find('consumer-lag-age', snapshot)[0]?.severity).toBe('CRITICAL')
    expect(find('consumer-lag-age', snapshot, { retentionShare: 0.6 })[0]?.severity).toBe('WARNING')
  })

  it('says when a consumer that catches up will have done so', () => {
    const iteratorAge = ramp(2 * HOUR, HOUR)

    const [finding] = find('consumer-lag-age', aSnapshot({ metrics: { iteratorAge } }))

    expect(finding?.severity).toBe('WARNING')
    expect(finding?.evidence).toContain('caught up in 14 min')
  })

  it('looks at each function that reads the stream, and at no other', () => {
    const late = { iteratorAge: 90_000 }

    expect(find('consumer-lag-age', aSnapshot({ functions: [aFunction(late)] }))).toMatchObject([
      { subject: 'clicks-processor' },
    ])
    expect(find('consumer-lag-age', aSnapshot({ functions: [aFunction(late, false)] }))).toEqual([])
  })
})

describe('nobody-reads', () => {
  const unread = { outgoingRecords: undefined, getRecordsSuccess: undefined, iteratorAge: undefined }

  it('fires where records come in and nobody ever asked for any', () => {
    const [finding] = find('nobody-reads', aSnapshot({ metrics: unread }))

    expect(finding).toMatchObject({ severity: 'CRITICAL' })
    expect(finding?.cause).toContain('lost 24 h after')
  })

  it('fires where the consumer has stopped while records come in', () => {
    const stopped = aSnapshot({ metrics: { getRecordsSuccess: until(6, 1), outgoingRecords: until(6, 100) } })

    expect(find('nobody-reads', stopped)).toMatchObject([{ severity: 'CRITICAL' }])
    expect(find('nobody-reads', stopped, { silentReaderMs: 600_000 })).toEqual([])
  })

  it('does not fire while the newest read has not been published yet', () => {
    expect(find('nobody-reads', aSnapshot({ metrics: { getRecordsSuccess: until(2, 1) } }))).toEqual([])
  })

  it('cannot tell yet where the first records have only just come in', () => {
    const snapshot = aSnapshot({ metrics: { ...unread, incomingRecords: since(1, 100) } })

    expect(find('nobody-reads', snapshot)).toMatchObject([{ severity: 'UNKNOWN' }])
    expect(health(snapshot).overallStatus).toBe('UNKNOWN')
  })

  it('does not fire where nothing came in', () => {
    expect(find('nobody-reads', aSnapshot({ metrics: { ...unread, incomingRecords: 0 } }))).toEqual([])
  })

  it('takes nothing for granted of a metric that could not be read', () => {
    const snapshot = aSnapshot({ complete: false, metrics: unread })
    snapshot.metrics.getRecordsSuccess.state = 'unread'

    expect(find('nobody-reads', snapshot)).toEqual([])
    expect(health(snapshot).overallStatus).toBe('UNKNOWN')
  })
})

describe('consumers-unseen', () => {
  const fanOutOnly = {
    stream: { registeredConsumerCount: 1 },
    pollingConsumers: 0,
    metrics: { outgoingRecords: undefined, getRecordsSuccess: undefined, iteratorAge: undefined },
  }

  it('fires where all consumers have fan-out and no function shows that they read', () => {
    expect(health(aSnapshot(fanOutOnly))).toMatchObject({
      overallStatus: 'UNKNOWN',
      findings: [{ rule: 'consumers-unseen' }],
    })
  })

  it('does not fire where a function that reads is at work', () => {
    expect(health(aSnapshot({ ...fanOutOnly, functions: [aFunction()] })).overallStatus).toBe('HEALTHY')
  })
})

describe('function-silent', () => {
  it('fires where records come in and the function is not invoked', () => {
    const snapshot = aSnapshot({ functions: [aFunction({ invocations: undefined })] })

    const [finding] = find('function-silent', snapshot)

    expect(finding).toMatchObject({ severity: 'CRITICAL', subject: 'clicks-processor' })
    expect(finding?.remedy).toContain('--function-name clicks-processor')
  })

  it('fires where its invocations have stopped', () => {
    const functions = [aFunction({ invocations: until(6, 3) })]

    expect(find('function-silent', aSnapshot({ functions }))).toHaveLength(1)
    expect(find('function-silent', aSnapshot({ functions }), { silentReaderMs: 600_000 })).toEqual([])
  })

  it('does not fire while it is invoked, nor for a function that does not read the stream', () => {
    const idle = { invocations: undefined }

    expect(find('function-silent', aSnapshot({ functions: [aFunction()] }))).toEqual([])
    expect(find('function-silent', aSnapshot({ functions: [aFunction(idle, false)] }))).toEqual([])
  })

  it('does not fire while the records have only just begun to come', () => {
    const functions = [aFunction({ invocations: undefined })]
    const snapshot = aSnapshot({ functions, metrics: { incomingRecords: since(3, 100) } })

    expect(find('function-silent', snapshot)).toEqual([])
  })
})

describe('function-errors', () => {
  it('fires on errors, also of a function further down', () => {
    const functions = [aFunction({ invocations: 100, errors: 1 }, false)]

    expect(find('function-errors', aSnapshot({ functions }))).toMatchObject([{ severity: 'WARNING' }])
  })

  it('is critical where many invocations fail', () => {
    const functions = [aFunction({ invocations: 100, errors: 20 })]

    expect(find('function-errors', aSnapshot({ functions }))).toMatchObject([{ severity: 'CRITICAL' }])
  })

  it('does not fire without errors', () => {
    expect(find('function-errors', aSnapshot({ functions: [aFunction()] }))).toEqual([])
  })
})

describe('function-throttled', () => {
  it('fires on throttled invocations', () => {
    const functions = [aFunction({ throttles: 1 })]

    expect(find('function-throttled', aSnapshot({ functions }))).toMatchObject([{ severity: 'WARNING' }])
  })

  it('does not fire without', () => {
    expect(find('function-throttled', aSnapshot({ functions: [aFunction()] }))).toEqual([])
  })
})

describe('delivery-stale', () => {
  it('fires where the oldest record has waited too long', () => {
    const deliveryStreams = [aDelivery({ dataFreshness: 1_000 })]

    expect(find('delivery-stale', aSnapshot({ deliveryStreams }))).toMatchObject([{ severity: 'WARNING' }])
  })

  it('is critical where the retention comes near', () => {
    const deliveryStreams = [aDelivery({ dataFreshness: 13 * 3_600 })]

    expect(find('delivery-stale', aSnapshot({ deliveryStreams }))).toMatchObject([{ severity: 'CRITICAL' }])
  })

  it('does not fire below the age that the caller sets', () => {
    const deliveryStreams = [aDelivery({ dataFreshness: 1_000 })]

    expect(find('delivery-stale', aSnapshot({ deliveryStreams: [aDelivery()] }))).toEqual([])
    expect(
      find('delivery-stale', aSnapshot({ deliveryStreams }), { deliveryFreshnessMs: 2_000_000 }),
    ).toEqual([])
  })
})

describe('delivery-failing', () => {
  it('fires where a delivery failed', () => {
    const deliveryStreams = [aDelivery({ deliverySuccess: 0.5 })]

    expect(find('delivery-failing', aSnapshot({ deliveryStreams }))).toMatchObject([{ severity: 'WARNING' }])
  })

  it('does not fire where all succeeded, or none was due', () => {
    const deliveryStreams = [aDelivery(), aDelivery({ deliverySuccess: undefined })]

    expect(find('delivery-failing', aSnapshot({ deliveryStreams }))).toEqual([])
  })
})

describe('thresholds', () => {
  it.each([{ lagRatio: -1 }, { iteratorAgeMs: Number.NaN }, { criticalShare: 2 }])(
    'refuse %o',
    (thresholds) => {
      expect(() => health(aSnapshot(), thresholds)).toThrow(/thresholds\./)
    },
  )

  it('refuse a name that there is not', () => {
    const misspelt: object = { iteratorAge: 5 }

    expect(() => health(aSnapshot(), misspelt)).toThrow(/iteratorAge: 5.*no such option.*iteratorAgeMs/)
  })

  it('are listed in the README with their defaults', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

    for (const [name, value] of Object.entries(DEFAULT_THRESHOLDS)) {
      const row = new RegExp(`\\| \`${name}\` +\\| ${value.toLocaleString('en-US')} `)
      expect(readme).toMatch(row)
    }
  })
})
