import type { MetricSink } from '../service.js'
import type { Queue } from './queue.js'

/** What SQS publishes of its queues every minute, as of the second that is over. */
export function publishQueueDepths(queues: Iterable<Queue>, metrics: MetricSink, nowMs: number): void {
  for (const queue of queues) {
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
}
