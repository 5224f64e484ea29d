import { type MetricDefinition, processingMetrics } from '@org/kinesis-core'

/** The part of Powertools' `Metrics` that is used; its units are named as in CloudWatch. */
export interface MetricsPort {
  addMetric(name: string, unit: never, value: number): unknown
  singleMetric(): {
    addDimension(name: string, value: string): unknown
    addMetric(name: string, unit: never, value: number): unknown
  }
  publishStoredMetrics(): unknown
}

export interface BatchMetrics {
  received: number
  stored: number
  rejected: number
  unresolved: number
  durationMs: number
  /** Of the batch's oldest record; undefined for an empty batch. */
  iteratorAgeMs: number | undefined
  byEventType: ReadonlyMap<string, number>
}

/** One line for the batch, and one for each event type in it: a metric has one set of dimensions a line. */
export function publish(port: MetricsPort, batch: BatchMetrics): void {
  const add = ({ name, unit }: MetricDefinition, value: number) => port.addMetric(name, unit as never, value)
  add(processingMetrics.recordsReceived, batch.received)
  add(processingMetrics.recordsStored, batch.stored)
  add(processingMetrics.recordsRejected, batch.rejected)
  add(processingMetrics.recordsUnresolved, batch.unresolved)
  add(processingMetrics.batchDuration, batch.durationMs)
  if (batch.iteratorAgeMs !== undefined) add(processingMetrics.iteratorAge, batch.iteratorAgeMs)
  port.publishStoredMetrics()
  const { name, unit } = processingMetrics.recordsProcessed
  for (const [eventType, count] of batch.byEventType) {
    const single = port.singleMetric()
    single.addDimension('EventType', eventType)
    single.addMetric(name, unit as never, count)
  }
}
