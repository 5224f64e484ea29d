import type { MetricDefinition } from '@org/kinesis-core'

const mapping = (name: string): MetricDefinition => ({
  namespace: 'AWS/Lambda',
  name,
  unit: 'Count',
  statistic: 'Sum',
  dimensions: ['EventSourceMappingUUID'],
})

/**
 * Published by Lambda for a mapping that asks for the group `EventCount` (Lambda developer guide, "Event source mapping
 * metrics").
 */
export const eventSourceMetrics = {
  /** Records that Lambda gave up and delivered to the failure destination. */
  deadLettered: mapping('OnFailureDestinationDeliveredEventCount'),
  /** Records that Lambda gave up and could not deliver there either: these are lost. */
  dropped: mapping('DroppedEventCount'),
} as const

export const queueMetrics = {
  messagesVisible: {
    namespace: 'AWS/SQS',
    name: 'ApproximateNumberOfMessagesVisible',
    unit: 'Count',
    statistic: 'Maximum',
    dimensions: ['QueueName'],
  },
} as const satisfies Record<string, MetricDefinition>
