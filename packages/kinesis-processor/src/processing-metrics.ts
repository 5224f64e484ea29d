import { type MetricDefinition, processingMetrics } from '@org/kinesis-core'
import type { BatchReport } from './batch-report.js'

/** The part of Powertools' `Metrics` that is used; its units are named as in CloudWatch. */
export interface MetricsPort {
  addMetric(name: string, unit: never, value: number): unknown
  singleMetric(): {
    addDimension(name: string, value: string): unknown
    addMetric(name: string, unit: never, value: number): unknown
  }
  publishStoredMetrics(): unknown
}

/** One line for the batch, and one for each event type in it: a metric has one set of dimensions a line. */
export function publish(port: MetricsPort, report: BatchReport): void {
  const add = ({ name, unit }: MetricDefinition, value: number) => port.addMetric(name, unit as never, value)
  add(processingMetrics.recordsReceived, report.received)
  add(processingMetrics.recordsStored, report.stored)
  add(processingMetrics.recordsRejected, report.rejected)
  add(processingMetrics.recordsUnresolved, report.unresolved)
  add(processingMetrics.recordsDropped, report.dropped)
  add(processingMetrics.recordsDeduplicated, report.deduplicated)
  add(processingMetrics.recordsRetried, report.retried)
  add(processingMetrics.checkpointAdvance, report.checkpointAdvance)
  add(processingMetrics.batchDuration, report.durationMs)
  add(processingMetrics.stepsDuration, report.stepsDurationMs)
  add(processingMetrics.sinkDuration, report.sinkDurationMs)
  add(processingMetrics.coldStarts, report.isColdStart ? 1 : 0)
  if (report.iteratorAgeMs !== undefined) add(processingMetrics.iteratorAge, report.iteratorAgeMs)
  port.publishStoredMetrics()
  const { name, unit } = processingMetrics.recordsProcessed
  for (const [eventType, count] of report.storedByEventType) {
    const single = port.singleMetric()
    single.addDimension('EventType', eventType)
    single.addMetric(name, unit as never, count)
  }
}
