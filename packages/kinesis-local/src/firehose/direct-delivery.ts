import { randomUUID } from 'node:crypto'
import { systemRandom } from '@org/kinesis-core'
import type { ResolvedDelivery } from '../delivery/delivery-options.js'
import {
  closeDestination,
  deliveryPublisher,
  deliveryTransform,
  isDeliveryFull,
  transformQueue,
} from '../delivery/delivery-parts.js'
import { DeliverySink } from '../delivery/delivery-sink.js'
import type { TransformQueue } from '../delivery/transform-queue.js'
import type { HostDependencies } from '../function/host-dependencies.js'

/** A delivery whose records are put to it. They are in memory until their object is durable. */
export class DirectDelivery {
  readonly #closing = new AbortController()
  readonly #resolved: ResolvedDelivery
  readonly #sink: DeliverySink
  readonly #queue: TransformQueue | undefined
  readonly #clock: HostDependencies['clock']

  constructor(
    resolved: ResolvedDelivery,
    deps: HostDependencies,
    told: { onError: (error: Error) => void; onDurable: () => void },
  ) {
    const { clock, random = systemRandom } = deps
    const { signal } = this.#closing
    const transform = deliveryTransform(resolved, deps, undefined)
    this.#resolved = resolved
    this.#clock = clock
    this.#sink = new DeliverySink(resolved, {
      clock,
      random,
      publish: deliveryPublisher(resolved.name, deps),
      lambdaArn: transform?.functionArn,
      ...told,
      signal,
      hold: deps.hold ?? ((work) => work),
    })
    this.#queue =
      transform && transformQueue(transform, resolved, this.#sink, { clock, onProgress: () => {}, signal })
  }

  /** Takes no more until objects are written. */
  get isFull(): boolean {
    return isDeliveryFull(this.#sink, [this.#queue], this.#resolved)
  }

  /** The record's id. */
  put(data: Uint8Array): string {
    const recordId = `${randomUUID().replaceAll('-', '')}${'0'.repeat(24)}`
    const record = { recordId, source: undefined, arrivalMs: this.#clock.now(), data, settle: () => {} }
    if (this.#queue === undefined) this.#sink.deliver(record, data)
    else this.#queue.add(record)
    return recordId
  }

  /** Resolves when what was put is durable. */
  async flush(): Promise<void> {
    await this.#queue?.flush()
    await this.#sink.flush()
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    closeDestination(this.#resolved)
  }
}
