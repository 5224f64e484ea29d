import { InvalidOptionError, type MetricDefinition } from '@org/kinesis-core'
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import { defined } from './defined.js'

export type CatalogMetricOptions = Pick<MetricOptions, 'period' | 'statistic' | 'label'>

/**
 * A metric of the catalogue as CDK knows metrics: with its own statistic unless another is asked for, and with exactly its
 * dimensions. CloudWatch takes a metric with other dimensions for another metric, one that never gets a datapoint, and an
 * alarm on it never fires; so a missing or an extra dimension is refused here.
 *
 * The unit is left out on purpose: an alarm with a unit sees only datapoints that were published with that very unit.
 */
export function catalogMetric(
  definition: MetricDefinition,
  dimensions: Readonly<Record<string, string>>,
  options: CatalogMetricOptions = {},
): Metric {
  const given = Object.keys(dimensions).sort().join(', ')
  const expected = [...definition.dimensions].sort().join(', ')
  if (given !== expected) {
    throw new InvalidOptionError('dimensions', given, `${definition.name} has the dimensions ${expected}.`)
  }
  return new Metric({
    namespace: definition.namespace,
    metricName: definition.name,
    dimensionsMap: { ...dimensions },
    ...defined({
      statistic: options.statistic ?? definition.statistic,
      period: options.period,
      label: options.label,
    }),
  })
}
