import type { MetricSummary } from '../metric-summary.js'
import type { Finding } from './finding.js'
import type { HealthSnapshot } from './health-snapshot.js'
import { forecastLag } from './lag-forecast.js'
import type { HealthRule } from './stream-rules.js'
import { count, duration, percent } from './wording.js'

/** Metrics of the last minutes may not have arrived: what began later than this cannot be judged. */
const SETTLING_MS = 120_000

/** By volume, with every consumer counted: two that keep up read each record twice. */
export const consumersBehindByVolume: HealthRule = (snapshot, { lagRatio }) => {
  const { stream, metrics, pollingConsumers } = snapshot
  const incoming = metrics.incomingRecords.sum ?? 0
  const outgoing = metrics.outgoingRecords.sum
  // With nothing read at all, `nobodyReads` says it better.
  if (pollingConsumers === 0 || incoming === 0 || outgoing === undefined) return []
  const expected = incoming * pollingConsumers
  if (expected <= outgoing * lagRatio) return []
  return [
    {
      severity: 'WARNING',
      rule: 'consumer-lag-volume',
      subject: stream.streamName,
      issue: 'Consumer lag detected',
      evidence:
        `${count(incoming, 'record')} came in, ${count(outgoing, 'record')} went out to ` +
        `${count(pollingConsumers, 'polling consumer')}, which would be ${expected.toLocaleString('en-US')} if all kept up`,
      cause: 'A consumer is slower than the producers, or has stopped.',
      recommendation: 'Scale consumer applications',
      remedy: showMappings(snapshot),
    },
  ]
}

/** By age, of all pollers together and of each function: lag against retention says when data is lost. */
export const consumersBehindByAge: HealthRule = (snapshot, thresholds) => {
  const { stream, metrics, functions } = snapshot
  const ages: [subject: string, reader: string, metric: MetricSummary][] = [
    [stream.streamName, 'the slowest polling consumer', metrics.iteratorAge],
    ...functions
      .filter((one) => one.readsStream)
      .map((one): [string, string, MetricSummary] => [one.name, `function ${one.name}`, one.iteratorAge]),
  ]
  return ages.flatMap(([subject, reader, metric]): Finding[] => {
    const forecast = forecastLag(metric.datapoints, stream.retentionMs)
    if (forecast === undefined || forecast.ageMs < thresholds.iteratorAgeMs) return []
    const { ageMs, timeToLossMs, catchUpMs } = forecast
    const used = ageMs / stream.retentionMs
    const critical =
      used >= thresholds.retentionShare ||
      (timeToLossMs !== undefined && timeToLossMs <= thresholds.dataLossHorizonMs)
    const outlook =
      timeToLossMs !== undefined
        ? `at this pace records are lost ${timeToLossMs === 0 ? 'now' : `in ${duration(timeToLossMs)}`}`
        : catchUpMs !== undefined
          ? `at this pace it has caught up in ${duration(catchUpMs)}`
          : 'it neither grows nor shrinks'
    return [
      {
        severity: critical ? 'CRITICAL' : 'WARNING',
        rule: 'consumer-lag-age',
        subject,
        issue: critical ? 'Records will be lost before they are read' : 'Consumer lag detected',
        evidence: `${reader} is ${duration(ageMs)} behind, ${percent(used)} of the retention of ${duration(stream.retentionMs)}; ${outlook}`,
        cause: 'It is slower than the producers, or it repeats a batch that fails again and again.',
        recommendation: critical
          ? 'Lengthen the retention now to win time, then scale or mend the consumer'
          : 'Scale consumer applications',
        remedy: critical ? lengthenRetention(snapshot) : showMappings(snapshot),
      },
    ]
  })
}

/** Records come in, and nobody has read any for a while. */
export const nobodyReads: HealthRule = (snapshot, { silentReaderMs }) => {
  const { stream, metrics, pollingConsumers, functions, takenAtMs } = snapshot
  const written = metrics.incomingRecords
  // Fan-out consumers leave no trace in GetRecords; a function's own metrics show it at work.
  const functionsRead = functions.some((one) => one.readsStream && (one.invocations.sum ?? 0) > 0)
  if ((written.sum ?? 0) === 0) return []
  const silence = silenceMs(written, metrics.getRecordsSuccess, snapshot)
  if (pollingConsumers === 0) {
    if (silence === undefined || functionsRead) return []
    return [
      {
        severity: 'UNKNOWN',
        rule: 'consumers-unseen',
        subject: stream.streamName,
        issue: 'Nothing shows whether anybody reads',
        evidence: `${count(written.sum ?? 0, 'record')} came in; ${count(stream.registeredConsumerCount, 'enhanced fan-out consumer')} registered, no polling consumer expected`,
        cause:
          'Enhanced fan-out consumers are not counted in GetRecords; no function that reads is named in the topology.',
        recommendation: 'Name the consuming functions in the topology manifest, or look at each consumer',
        remedy: `aws kinesis list-stream-consumers --stream-arn ${stream.streamArn}${snapshot.cliSuffix}`,
      },
    ]
  }
  if (silence === undefined || (!silence.neverRead && silence.ms < silentReaderMs)) return []
  const firstWriteMs = written.datapoints.find((point) => point.sum > 0)?.timestampMs ?? takenAtMs
  const tooEarly = silence.neverRead && takenAtMs - firstWriteMs < SETTLING_MS
  return [
    {
      severity: tooEarly ? 'UNKNOWN' : 'CRITICAL',
      rule: 'nobody-reads',
      subject: stream.streamName,
      issue: tooEarly
        ? 'Too early to tell whether anybody reads'
        : 'Records are written, and nobody reads them',
      evidence: silence.neverRead
        ? `${count(written.sum ?? 0, 'record')} came in, and there was no GetRecords call in the window`
        : `The last GetRecords call was ${duration(silence.ms)} before the last write`,
      cause: tooEarly
        ? 'The first records came in less than two minutes ago.'
        : `The consumer is stopped, disabled or not yet deployed; each record is lost ${duration(stream.retentionMs)} after it was written.`,
      recommendation: tooEarly ? 'Look again in two minutes' : 'Start the consumer',
      remedy: showMappings(snapshot),
    },
  ]
}

/** A function of the topology is not invoked although records come in: with several consumers, the others hide it elsewhere. */
export const functionSilent: HealthRule = (snapshot, { silentReaderMs }) => {
  const { metrics, functions, takenAtMs } = snapshot
  const first = metrics.incomingRecords.datapoints.find((point) => point.sum > 0)
  if (first === undefined || takenAtMs - first.timestampMs < Math.max(SETTLING_MS, silentReaderMs)) return []
  return functions
    .filter((one) => one.readsStream && one.invocations.state !== 'unread')
    .flatMap((one): Finding[] => {
      const silence = silenceMs(metrics.incomingRecords, one.invocations, snapshot)
      if (silence === undefined || (!silence.neverRead && silence.ms < silentReaderMs)) return []
      return [
        {
          severity: 'CRITICAL',
          rule: 'function-silent',
          subject: one.name,
          issue: `Function ${one.name} is not invoked`,
          evidence: silence.neverRead
            ? `${count(metrics.incomingRecords.sum ?? 0, 'record')} came in, and the function was not invoked in the window`
            : `Its last invocation was ${duration(silence.ms)} before the last write`,
          cause: 'Its event source mapping is disabled or failing, or a filter drops everything.',
          recommendation: 'Look at the state of its event source mapping',
          remedy: `aws lambda list-event-source-mappings --function-name ${one.name} --event-source-arn ${snapshot.stream.streamArn}${snapshot.cliSuffix}`,
        },
      ]
    })
}

/**
 * For how long nothing was read up to the last write; undefined while reading keeps up with writing. A metric that was read in
 * part only proves nothing by what it lacks.
 */
function silenceMs(
  written: MetricSummary,
  read: MetricSummary,
  { window }: HealthSnapshot,
): { neverRead: boolean; ms: number } | undefined {
  const lastWrite = written.datapoints.findLast((point) => point.sum > 0)
  if (lastWrite === undefined || read.state === 'partial' || read.state === 'unread') return undefined
  const lastRead = read.datapoints.findLast((point) => point.sampleCount > 0 && point.sum > 0)
  if (lastRead === undefined) return { neverRead: true, ms: window.endMs - window.startMs }
  const ms = lastWrite.timestampMs - lastRead.timestampMs
  return ms > 0 ? { neverRead: false, ms } : undefined
}

function showMappings({ stream, cliSuffix }: HealthSnapshot): string {
  return `aws lambda list-event-source-mappings --event-source-arn ${stream.streamArn}${cliSuffix}`
}

function lengthenRetention({ stream, cliSuffix }: HealthSnapshot): string {
  const hours = Math.min(8_760, Math.max(168, Math.ceil((stream.retentionMs * 2) / 3_600_000)))
  return `aws kinesis increase-stream-retention-period --stream-name ${stream.streamName} --retention-period-hours ${hours}${cliSuffix}`
}
