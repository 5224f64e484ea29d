import { kinesisQuotas } from '@org/kinesis-core'
import type { Finding } from './finding.js'
import type { HealthSnapshot } from './health-snapshot.js'
import type { ResolvedHealthThresholds } from './health-thresholds.js'
import { count, percent } from './wording.js'

/** A rule finds what is wrong in a snapshot; none when all is well, several where it looks at several consumers. */
export type HealthRule = (snapshot: HealthSnapshot, thresholds: ResolvedHealthThresholds) => Finding[]

export const streamNotActive: HealthRule = ({ stream, cliSuffix }) => {
  if (stream.status === 'ACTIVE') return []
  const { severity, cause, recommendation } = {
    CREATING: {
      severity: 'WARNING' as const,
      cause: 'The stream is being created, and takes no records yet.',
      recommendation: 'Wait until it is ACTIVE',
    },
    UPDATING: {
      severity: 'WARNING' as const,
      cause:
        'A resharding or another change is in progress: reads and writes go on, further changes are refused.',
      recommendation: 'Wait until it is ACTIVE before changing anything else',
    },
    DELETING: {
      severity: 'CRITICAL' as const,
      cause: 'The stream is being deleted, with everything that is still in it.',
      recommendation: 'Stop the producers, and create the stream again when it is gone',
    },
  }[stream.status]
  const wait = stream.status === 'DELETING' ? 'stream-not-exists' : 'stream-exists'
  return [
    {
      severity,
      rule: 'stream-not-active',
      subject: stream.streamName,
      issue: `Stream is ${stream.status}`,
      evidence: `StreamStatus is ${stream.status}`,
      cause,
      recommendation,
      remedy: `aws kinesis wait ${wait} --stream-name ${stream.streamName}${cliSuffix}`,
    },
  ]
}

export const noMetrics: HealthRule = ({ stream, metrics, window, cliSuffix }) => {
  if (Object.values(metrics).some((metric) => metric.state !== 'missing')) return []
  return [
    {
      severity: 'UNKNOWN',
      rule: 'no-metrics',
      subject: stream.streamName,
      issue: 'No metrics in this window',
      evidence: `CloudWatch has no data point of AWS/Kinesis for this stream in the last ${minutes(window)} minutes`,
      cause: 'Nobody writes or reads, or the stream is new: the first metrics take some minutes to arrive.',
      recommendation: 'Write and read something, then look again; or look further back',
      remedy: `aws cloudwatch list-metrics --namespace AWS/Kinesis --dimensions Name=StreamName,Value=${stream.streamName}${cliSuffix}`,
    },
  ]
}

export const metricsIncomplete: HealthRule = ({ stream, complete, problems, cliSuffix }) => {
  if (complete) return []
  return [
    {
      severity: 'UNKNOWN',
      rule: 'metrics-incomplete',
      subject: stream.streamName,
      issue: 'Metrics are incomplete',
      evidence: problems.join(' '),
      cause: 'CloudWatch did not give all metrics that were asked for, so some rules could not be judged.',
      recommendation: 'Look again in a minute, and less often',
      remedy: `aws service-quotas list-service-quotas --service-code monitoring --query "Quotas[?contains(QuotaName, 'GetMetricData')]"${regionOnly(cliSuffix)}`,
    },
  ]
}

export const writeThrottled: HealthRule = (snapshot, { criticalShare }) => {
  const { stream, metrics, cliSuffix } = snapshot
  // The first counts single puts and batches, the second batches alone; either may arrive before the other.
  const throttled = Math.max(
    metrics.writeThroughputExceeded.sum ?? 0,
    metrics.putRecordsThrottledRecords.sum ?? 0,
  )
  if (throttled === 0) return []
  const share = throttled / (throttled + (metrics.incomingRecords.sum ?? 0))
  const use = writeUse(snapshot)
  const base = {
    severity: share >= criticalShare ? ('CRITICAL' as const) : ('WARNING' as const),
    rule: 'write-throttled',
    subject: stream.streamName,
    issue: 'Write throughput exceeded',
    evidence:
      `${count(throttled, 'record')} throttled, ${percent(share)} of those offered; ` +
      `the busiest period used ${percent(use)} of what ${count(stream.openShardCount, 'shard')} can take`,
  }
  if (stream.mode === 'ON_DEMAND') {
    return [
      {
        ...base,
        cause:
          'The load more than doubled within 15 minutes, or one partition key has more than a shard can take.',
        recommendation: 'Spread the partition keys, and look at the shards',
        remedy: showShards(stream.streamName, cliSuffix),
      },
    ]
  }
  // Half of the whole capacity, and still throttled: more shards for all would mostly stay idle.
  if (use < 0.5) {
    return [
      {
        ...base,
        cause: 'A hot shard, or bursts within the minute: on average the stream has room.',
        recommendation: 'Spread the partition keys, and look at the shards before adding any',
        remedy: showShards(stream.streamName, cliSuffix),
      },
    ]
  }
  const target = stream.openShardCount * 2
  return [
    {
      ...base,
      cause: 'The shards are too few for the load.',
      recommendation: `Consider increasing the shard count to ${target}`,
      remedy: `aws kinesis update-shard-count --stream-name ${stream.streamName} --target-shard-count ${target} --scaling-type UNIFORM_SCALING${cliSuffix}`,
    },
  ]
}

export const readThrottled: HealthRule = (
  { stream, metrics, pollingConsumers, cliSuffix },
  { throttledReads },
) => {
  const throttled = metrics.readThroughputExceeded.sum ?? 0
  if (throttled <= throttledReads) return []
  return [
    {
      severity: 'WARNING',
      rule: 'read-throttled',
      subject: stream.streamName,
      issue: 'Read throughput exceeded',
      evidence: `${count(throttled, 'GetRecords call')} throttled; ${count(pollingConsumers, 'polling consumer')} expected`,
      cause:
        `All consumers that poll share ${kinesisQuotas.shardReadsPerSecond} calls/s and ` +
        `${kinesisQuotas.shardReadBytesPerSecond / 2 ** 20} MiB/s of each shard.`,
      recommendation: 'Optimize consumer applications: poll once a second, or give one enhanced fan-out',
      remedy: `aws kinesis register-stream-consumer --stream-arn ${stream.streamArn} --consumer-name ${stream.streamName}-fan-out${cliSuffix}`,
    },
  ]
}

export const recordsFailed: HealthRule = ({ stream, metrics }, { criticalShare }) => {
  const failed = metrics.putRecordsFailedRecords.sum ?? 0
  if (failed === 0) return []
  const total = Math.max(metrics.putRecordsTotalRecords.sum ?? 0, failed)
  return [
    {
      severity: failed / total >= criticalShare ? 'CRITICAL' : 'WARNING',
      rule: 'records-failed',
      subject: stream.streamName,
      issue: 'PutRecords left records unwritten',
      evidence: `${count(failed, 'record')} of ${count(total, 'record')} failed inside the service (${percent(failed / total)})`,
      cause: 'Internal failures of the service: PutRecords answers 200 all the same, entry by entry.',
      recommendation: 'Check that the producer sends the failed entries again',
      // The health API has one endpoint, there.
      remedy: 'aws health describe-events --filter services=KINESIS --region us-east-1',
    },
  ]
}

export const readsFailing: HealthRule = ({ stream, metrics, cliSuffix }, { readSuccess, throttledReads }) => {
  const { average: success, sum = 0 } = metrics.getRecordsSuccess
  if (success === undefined || success >= readSuccess) return []
  // A few calls of a few are no sign of anything, and throttled ones among them have a rule of their own.
  const failed = success === 0 ? Number.POSITIVE_INFINITY : sum / success - sum
  if (failed <= throttledReads) return []
  return [
    {
      severity: 'WARNING',
      rule: 'reads-failing',
      subject: stream.streamName,
      issue: 'GetRecords calls fail',
      evidence: `${percent(success)} of the calls succeeded, below ${percent(readSuccess)}`,
      cause:
        'Consumers are throttled, lack a permission (kms:Decrypt on an encrypted stream), or the service fails.',
      recommendation: 'Read the error that the consumers log',
      remedy: `aws kinesis describe-stream-summary --stream-name ${stream.streamName}${cliSuffix}`,
    },
  ]
}

/** The busiest period's load over what the open shards can take, records or bytes, whichever is nearer to its limit. */
function writeUse({ stream, metrics, window }: HealthSnapshot): number {
  const capacity = Math.max(1, stream.openShardCount) * window.periodSeconds
  const busiest = (points: readonly { sum: number }[]) =>
    points.reduce((top, point) => Math.max(top, point.sum), 0)
  const records =
    busiest(metrics.incomingRecords.datapoints) / (capacity * kinesisQuotas.shardWriteRecordsPerSecond)
  const bytes =
    busiest(metrics.incomingBytes.datapoints) / (capacity * kinesisQuotas.shardWriteBytesPerSecond)
  return Math.max(records, bytes)
}

function showShards(streamName: string, suffix: string): string {
  return `aws kinesis enable-enhanced-monitoring --stream-name ${streamName} --shard-level-metrics ALL${suffix}`
}

function minutes(window: HealthSnapshot['window']): number {
  return Math.round((window.endMs - window.startMs) / 60_000)
}

/** Services that no local endpoint stands for. */
function regionOnly(suffix: string): string {
  return suffix.replace(/ --endpoint-url .*$/, '')
}
