import { functionMetrics, type MetricDefinition } from '@org/kinesis-core'
import type { HostDependencies } from './host-dependencies.js'
import type { Settled } from './invocation-result.js'

/** What Lambda publishes of an invocation; one that was throttled never was one. */
export function publishInvocation(
  { metrics, clock }: Pick<HostDependencies, 'metrics' | 'clock'>,
  functionName: string,
  result: Settled,
  durationMs: number,
): void {
  const publish = ({ namespace, name, unit }: MetricDefinition, value: number) =>
    metrics.put({
      namespace,
      name,
      unit,
      value,
      dimensions: { FunctionName: functionName },
      timestampMs: clock.now(),
    })
  if (!result.ok && result.kind === 'throttled') {
    publish(functionMetrics.throttles, 1)
    return
  }
  publish(functionMetrics.invocations, 1)
  publish(functionMetrics.errors, result.ok ? 0 : 1)
  publish(functionMetrics.duration, durationMs)
}
