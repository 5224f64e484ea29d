import {
  consumersBehindByAge,
  consumersBehindByVolume,
  functionSilent,
  nobodyReads,
} from './consumer-rules.js'
import { deliveryFailing, deliveryStale, functionErrors, functionThrottled } from './downstream-rules.js'
import { type Finding, type HealthStatus, overallStatus, type Severity } from './finding.js'
import type { HealthSnapshot } from './health-snapshot.js'
import { type HealthThresholds, resolveHealthThresholds } from './health-thresholds.js'
import {
  type HealthRule,
  metricsIncomplete,
  noMetrics,
  readsFailing,
  readThrottled,
  recordsFailed,
  streamNotActive,
  writeThrottled,
} from './stream-rules.js'

export interface StreamHealth {
  overallStatus: HealthStatus
  /** One line per finding, the worst first. */
  issues: string[]
  /** What to do, each once. */
  recommendations: string[]
  findings: Finding[]
  checkedAtMs: number
}

const RULES: readonly HealthRule[] = [
  streamNotActive,
  nobodyReads,
  functionSilent,
  consumersBehindByAge,
  consumersBehindByVolume,
  writeThrottled,
  readThrottled,
  recordsFailed,
  readsFailing,
  functionErrors,
  functionThrottled,
  deliveryStale,
  deliveryFailing,
  noMetrics,
  metricsIncomplete,
]

const ORDER: readonly Severity[] = ['CRITICAL', 'WARNING', 'UNKNOWN']

/** All rules over one snapshot. Pure: the same snapshot gives the same health. */
export function assessHealth(snapshot: HealthSnapshot, thresholds: HealthThresholds = {}): StreamHealth {
  const resolved = resolveHealthThresholds(thresholds)
  const findings = RULES.flatMap((rule) => rule(snapshot, resolved)).sort(
    (a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity),
  )
  return {
    overallStatus: overallStatus(findings),
    issues: findings.map((finding) => `${finding.issue}: ${finding.evidence}`),
    recommendations: [...new Set(findings.map((finding) => `${finding.recommendation}: ${finding.remedy}`))],
    findings,
    checkedAtMs: snapshot.takenAtMs,
  }
}
