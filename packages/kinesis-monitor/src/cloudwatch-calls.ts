import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type GetMetricDataCommandOutput,
  type MetricDatum,
  PutMetricDataCommand,
  type StandardUnit,
} from '@aws-sdk/client-cloudwatch'
import { type Caller, isPassingFailure } from './caller.js'
import type {
  CallOptions,
  MetricReadings,
  MetricRequest,
  MetricSeries,
  PublishedMetric,
  SeriesReading,
} from './monitor-source.js'

/** Series of one GetMetricData call (CloudWatch API reference). */
const MAX_SERIES_PER_CALL = 500
/** GetMetricData allows 50 calls per second and account; a monitor has no business with a large share of them. */
const CALLS_AT_ONCE = 4

export async function readFromCloudWatch(
  client: CloudWatchClient,
  caller: Caller,
  request: MetricRequest,
  call: CallOptions = {},
): Promise<MetricReadings> {
  const readings = request.series.map((): SeriesReading => ({ points: [], state: 'unread' }))
  const problems = new Set<string>()
  const starts = Array.from(
    { length: Math.ceil(request.series.length / MAX_SERIES_PER_CALL) },
    (_, index) => index * MAX_SERIES_PER_CALL,
  )

  const readBatch = async (first: number) => {
    const queries = request.series
      .slice(first, first + MAX_SERIES_PER_CALL)
      .map((series, index) => toQuery(series, first + index, request.periodSeconds))
    let token: string | undefined
    do {
      const input = {
        MetricDataQueries: queries,
        StartTime: new Date(request.startMs),
        EndTime: new Date(request.endMs),
        ScanBy: 'TimestampAscending' as const,
        ...(token === undefined ? {} : { NextToken: token }),
      }
      const page = await caller(
        'cloudwatch:GetMetricData',
        undefined,
        () =>
          client.send(
            new GetMetricDataCommand(input),
            call.signal === undefined ? {} : { abortSignal: call.signal },
          ),
        call,
      )
      addPage(page, readings, problems)
      token = page.NextToken
    } while (token !== undefined)
  }

  for (let index = 0; index < starts.length; index += CALLS_AT_ONCE) {
    await Promise.all(
      starts.slice(index, index + CALLS_AT_ONCE).map(async (first) => {
        try {
          await readBatch(first)
        } catch (error) {
          // What other calls have read still stands; the caller sees which series are missing, and why.
          if (!isPassingFailure(error)) throw error
          problems.add(error.message)
        }
      }),
    )
  }
  for (const reading of readings) reading.points.sort((a, b) => a.timestampMs - b.timestampMs)
  const complete = readings.every((reading) => reading.state === 'complete')
  if (!complete && problems.size === 0)
    problems.add('CloudWatch returned only a part of the metrics. Try again.')
  return { readings, complete, problems: [...problems] }
}

export async function publishToCloudWatch(
  client: CloudWatchClient,
  caller: Caller,
  namespace: string,
  data: readonly PublishedMetric[],
  call: CallOptions = {},
): Promise<void> {
  const input = {
    Namespace: namespace,
    MetricData: data.map(
      (metric): MetricDatum => ({
        MetricName: metric.name,
        Value: metric.value,
        Unit: metric.unit as StandardUnit,
        Timestamp: new Date(metric.timestampMs),
        Dimensions: toDimensions(metric.dimensions),
      }),
    ),
  }
  await caller(
    'cloudwatch:PutMetricData',
    undefined,
    () =>
      client.send(
        new PutMetricDataCommand(input),
        call.signal === undefined ? {} : { abortSignal: call.signal },
      ),
    call,
  )
}

function toQuery(series: MetricSeries, index: number, periodSeconds: number) {
  return {
    // An id begins with a lower-case letter; the number finds the way back to the series.
    Id: `s${index}`,
    MetricStat: {
      Metric: {
        Namespace: series.namespace,
        MetricName: series.name,
        Dimensions: toDimensions(series.dimensions),
      },
      Period: periodSeconds,
      Stat: series.statistic,
    },
    ReturnData: true,
  }
}

/** One series may stand on several pages; its state is that of the last page that named it. */
function addPage(page: GetMetricDataCommandOutput, readings: SeriesReading[], problems: Set<string>): void {
  for (const result of page.MetricDataResults ?? []) {
    const reading = readings[Number(result.Id?.slice(1))]
    if (reading === undefined) continue
    const times = result.Timestamps ?? []
    for (const [index, value] of (result.Values ?? []).entries()) {
      const time = times[index]
      if (time !== undefined) reading.points.push({ timestampMs: time.getTime(), value })
    }
    const status = result.StatusCode ?? 'Complete'
    if (status === 'Complete') reading.state = 'complete'
    else reading.state = reading.points.length > 0 || status === 'PartialData' ? 'partial' : 'unread'
    if (status === 'Forbidden')
      problems.add('CloudWatch denied some of the metrics: cloudwatch:GetMetricData.')
  }
  for (const message of page.Messages ?? []) if (message.Value !== undefined) problems.add(message.Value)
}

function toDimensions(dimensions: Readonly<Record<string, string>>): { Name: string; Value: string }[] {
  return Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }))
}
