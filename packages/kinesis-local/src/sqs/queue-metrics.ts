import type { Clock } from '@org/kinesis-core'
import type { MetricSink } from '../service.js'
import type { Queue } from './queue.js'

const MINUTE_MS = 60_000

/** What SQS publishes of its queues every minute, as of the second that is over. */
export class QueueMetrics {
  readonly #queues: () => Iterable<Queue>
  readonly #metrics: MetricSink
  readonly #clock: Clock
  #publishedMinute: number
  #cancelTimer = () => {}

  constructor(queues: () => Iterable<Queue>, metrics: MetricSink, clock: Clock) {
    this.#queues = queues
    this.#metrics = metrics
    this.#clock = clock
    this.#publishedMinute = Math.floor(clock.now() / MINUTE_MS)
  }

  /** Once a minute, whoever asks first: what reads the metrics at the full minute must find them. */
  publish(): void {
    const nowMs = this.#clock.now()
    const minute = Math.floor(nowMs / MINUTE_MS)
    if (minute === this.#publishedMinute) return
    this.#publishedMinute = minute
    for (const queue of this.#queues()) publishDepths(queue, this.#metrics, nowMs)
  }

  /** At every full minute, until `close`. */
  start(): void {
    this.#cancelTimer = this.#clock.schedule(MINUTE_MS - (this.#clock.now() % MINUTE_MS), () => {
      this.publish()
      this.start()
    })
  }

  close(): void {
    this.#cancelTimer()
  }
}

function publishDepths(queue: Queue, metrics: MetricSink, nowMs: number): void {
  const { visible, inFlight, delayed } = queue.count(nowMs)
  const depths = {
    ApproximateNumberOfMessagesVisible: visible,
    ApproximateNumberOfMessagesNotVisible: inFlight,
    ApproximateNumberOfMessagesDelayed: delayed,
  }
  for (const [name, value] of Object.entries(depths)) {
    metrics.put({
      namespace: 'AWS/SQS',
      name,
      dimensions: { QueueName: queue.name },
      unit: 'Count',
      value,
      timestampMs: nowMs - 1_000,
    })
  }
}
