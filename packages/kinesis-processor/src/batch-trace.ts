import type { BatchReport } from './batch-report.js'

/** The part of Powertools' `Tracer` that is used. */
export interface TracerPort {
  isTracingEnabled(): boolean
  getSegment(): TraceSegment | undefined
  setSegment(segment: never): unknown
}

export interface TraceSegment {
  addNewSubsegment(name: string): TraceSegment
  addAnnotation(key: string, value: number | boolean): unknown
  addMetadata(key: string, value: unknown): unknown
  close(): unknown
}

/**
 * A subsegment for the batch, and in it one for each part of the work: calls of traced AWS clients stand below the part that made them. A tracer
 * that fails is asked no more: a batch must not fail for want of a trace.
 */
export class BatchTrace {
  #tracer: TracerPort | undefined
  #parent: TraceSegment | undefined
  #batch: TraceSegment | undefined

  constructor(tracer: TracerPort | undefined) {
    this.#tracer = tracer
    this.#safely(() => {
      if (tracer?.isTracingEnabled() !== true) return
      this.#parent = tracer.getSegment()
      this.#batch = this.#parent?.addNewSubsegment('## kinesisHandler')
      this.#enter(this.#batch)
    })
  }

  /** @returns what ends the part */
  begin(part: string): () => void {
    if (this.#batch === undefined) return NOTHING
    const segment = this.#safely(() => {
      const begun = this.#batch?.addNewSubsegment(`### ${part}`)
      this.#enter(begun)
      return begun
    })
    return () =>
      this.#safely(() => {
        segment?.close()
        this.#enter(this.#batch)
      })
  }

  end({ received, stored, rejected, unresolved, isColdStart, ...rest }: BatchReport): void {
    const batch = this.#batch
    if (batch === undefined) return
    this.#safely(() => {
      for (const [key, value] of Object.entries({ received, stored, rejected, unresolved, isColdStart }))
        batch.addAnnotation(key, value)
      const { storedByEventType: _, ...metadata } = rest
      batch.addMetadata('batch', metadata)
      batch.close()
      this.#enter(this.#parent)
    })
  }

  #enter(segment: TraceSegment | undefined): void {
    if (segment !== undefined) this.#tracer?.setSegment(segment as never)
  }

  #safely<R>(work: () => R): R | undefined {
    if (this.#tracer === undefined) return undefined
    try {
      return work()
    } catch (error) {
      this.#tracer = undefined
      this.#batch = undefined
      console.warn('kinesis-processor: the trace of a batch failed.', error)
      return undefined
    }
  }
}

const NOTHING = () => {}
