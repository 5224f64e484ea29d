import { firehoseTransform, parseJson } from '@org/kinesis-processor'

/** Shapes records for the lake: one line of JSON each. What is no JSON goes to the error prefix; whether it is valid is not asked here. */
export const handler = firehoseTransform({
  decode: parseJson,
  map: (data, _position, nowMs) => {
    const event = typeof data === 'object' && data !== null && !Array.isArray(data) ? data : { data }
    const eventType =
      'event_type' in event && typeof event.event_type === 'string' ? event.event_type : 'unknown'
    return {
      value: { ...event, transform_timestamp: new Date(nowMs).toISOString(), partition_key: eventType },
    }
  },
})
