import { type Clock, functionMetrics, type MetricDefinition, mappingMetrics } from '@org/kinesis-core'
import type { MetricSink } from '../service.js'

/** What one mapping counts over all of its shards. */
export interface MappingCounts {
  invocations: number
  failedInvocations: number
  /** Members of aggregates one by one, where a consumer of enhanced fan-out gets them. */
  recordsRead: number
  /** Members of aggregates whose hash key lies in another shard: dropped, as Lambda does with enhanced fan-out. */
  strayRecords: number
  /** Read, and kept from the function by the filters. */
  recordsFiltered: number
  recordsDiscarded: number
  batchesDiscarded: number
  /** Discarded batches that the failure destination did not take; those that wait to be tried again count once for each try. */
  failedDeliveries: number
}

export interface MappingTallyContext {
  metrics: MetricSink
  clock: Clock
  mappingId: string
  functionName: string
  /** Whether the mapping publishes the metrics of `EventCount`. */
  eventCount: boolean
}

/** Counts what a mapping does, and publishes what Lambda publishes of it. */
export class MappingTally {
  readonly counts: MappingCounts = {
    invocations: 0,
    failedInvocations: 0,
    recordsRead: 0,
    strayRecords: 0,
    recordsFiltered: 0,
    recordsDiscarded: 0,
    batchesDiscarded: 0,
    failedDeliveries: 0,
  }
  #context: MappingTallyContext

  constructor(context: MappingTallyContext) {
    this.#context = context
  }

  read(records: number, { strays, filtered }: { strays: number; filtered: number }): void {
    this.counts.recordsRead += records
    this.counts.strayRecords += strays
    this.counts.recordsFiltered += filtered
    this.#countEvents(mappingMetrics.polledEvents, records)
    this.#countEvents(mappingMetrics.filteredOutEvents, filtered)
  }

  invoking(records: number): void {
    this.counts.invocations += 1
    this.#countEvents(mappingMetrics.invokedEvents, records)
  }

  failed(records: number): void {
    this.counts.failedInvocations += 1
    this.#countEvents(mappingMetrics.failedInvokeEvents, records)
  }

  discarded(records: number, { delivered }: { delivered: boolean }): void {
    this.counts.batchesDiscarded += 1
    this.counts.recordsDiscarded += records
    this.#countEvents(
      delivered ? mappingMetrics.deliveredToDestinationEvents : mappingMetrics.droppedEvents,
      records,
    )
  }

  deliveryFailed(): void {
    this.counts.failedDeliveries += 1
    this.#publish(functionMetrics.destinationDeliveryFailures, 1, this.#ofFunction)
  }

  /** "The age of the last record in the event, when the function finishes processing" (Lambda developer guide, metrics). */
  iteratorAge(lastArrivalMs: number): void {
    const ageMs = Math.max(0, this.#context.clock.now() - lastArrivalMs)
    this.#publish(functionMetrics.iteratorAge, ageMs, this.#ofFunction)
  }

  get #ofFunction(): Record<string, string> {
    return { FunctionName: this.#context.functionName }
  }

  #countEvents(metric: MetricDefinition, events: number): void {
    if (!this.#context.eventCount || events === 0) return
    this.#publish(metric, events, { EventSourceMappingUUID: this.#context.mappingId })
  }

  #publish(
    { namespace, name, unit }: MetricDefinition,
    value: number,
    dimensions: Record<string, string>,
  ): void {
    const { metrics, clock } = this.#context
    metrics.put({ namespace, name, unit, value, dimensions, timestampMs: clock.now() })
  }
}
