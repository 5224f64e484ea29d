import type { MetricUnit } from '@org/kinesis-core'
import type { MetricDatum } from '../service.js'

interface EmfDirective {
  Namespace?: unknown
  Dimensions?: unknown
  Metrics?: unknown
}

/**
 * The metrics of one line in embedded metric format (CloudWatch user guide, "Specification: Embedded metric format"):
 * one datum per value, metric and set of dimensions. Undefined where the line is no such document.
 */
export function readEmf(line: string, atMs: number): MetricDatum[] | undefined {
  if (!line.startsWith('{') || !line.includes('"_aws"')) return undefined
  const document = parse(line)
  const envelope = document?._aws as { Timestamp?: unknown; CloudWatchMetrics?: unknown } | undefined
  if (document === undefined || typeof envelope !== 'object' || envelope === null) return undefined
  if (!Array.isArray(envelope.CloudWatchMetrics)) return undefined
  const timestampMs = isInstant(envelope.Timestamp) ? envelope.Timestamp : atMs
  return envelope.CloudWatchMetrics.filter(isObject).flatMap((directive: EmfDirective) =>
    readDirective(document, directive, timestampMs),
  )
}

function readDirective(
  document: Record<string, unknown>,
  directive: EmfDirective,
  timestampMs: number,
): MetricDatum[] {
  const { Namespace: namespace, Dimensions: dimensionSets, Metrics: metrics } = directive
  if (typeof namespace !== 'string' || !Array.isArray(metrics)) return []
  const sets = Array.isArray(dimensionSets) && dimensionSets.length > 0 ? dimensionSets : [[]]
  return sets.flatMap((names: unknown) =>
    metrics.filter(isObject).flatMap((metric: { Name?: unknown; Unit?: unknown }) => {
      if (typeof metric.Name !== 'string') return []
      const name = metric.Name
      const unit = (typeof metric.Unit === 'string' ? metric.Unit : 'None') as MetricUnit
      const dimensions = readDimensions(document, names)
      return valuesOf(document[name]).map((value) => ({
        namespace,
        name,
        dimensions,
        value,
        unit,
        timestampMs,
      }))
    }),
  )
}

function readDimensions(document: Record<string, unknown>, names: unknown): Record<string, string> {
  if (!Array.isArray(names)) return {}
  return Object.fromEntries(
    names
      .filter((name) => typeof document[name] === 'string')
      .map((name) => [String(name), String(document[name])]),
  )
}

/** A date can hold it. */
function isInstant(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(new Date(value).getTime())
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function valuesOf(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((one): one is number => Number.isFinite(one))
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
