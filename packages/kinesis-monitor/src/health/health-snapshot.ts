import type { MetricSummary } from '../metric-summary.js'
import type { MetricWindow } from '../metric-window.js'
import type { StreamDescription } from '../monitor-source.js'
import type { StreamMetricName } from '../stream-metrics.js'

/** Everything that the health rules look at, read at one time: a rule is a function of this and the thresholds alone. */
export interface HealthSnapshot {
  takenAtMs: number
  window: MetricWindow
  stream: StreamDescription
  metrics: Record<StreamMetricName, MetricSummary>
  functions: FunctionHealth[]
  deliveryStreams: DeliveryHealth[]
  /** How many consumers poll the stream with GetRecords; each of them reads every record once. */
  pollingConsumers: number
  /** False where CloudWatch did not give everything. */
  complete: boolean
  problems: string[]
  /** Appended to every command, so that it reaches the same place: ` --region eu-west-1`. */
  cliSuffix: string
}

export interface FunctionHealth {
  name: string
  /** Invoked with the stream's records; otherwise it stands further down, as a delivery's transform does. */
  readsStream: boolean
  invocations: MetricSummary
  errors: MetricSummary
  throttles: MetricSummary
  iteratorAge: MetricSummary
}

export interface DeliveryHealth {
  name: string
  dataFreshness: MetricSummary
  deliverySuccess: MetricSummary
}
