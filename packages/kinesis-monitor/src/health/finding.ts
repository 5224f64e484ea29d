export type Severity = 'CRITICAL' | 'WARNING' | 'UNKNOWN'

/** One thing that is wrong, or cannot be told. */
export interface Finding {
  /** `UNKNOWN`: the rule could not be judged, so the stream must not be called healthy. */
  severity: Severity
  /** The rule's name, stable: `write-throttled`. */
  rule: string
  /** What it is about: the stream, or the function or delivery stream by name. */
  subject: string
  /** One line, which `issues` lists. */
  issue: string
  /** The numbers that made the rule fire. */
  evidence: string
  cause: string
  /** One line, which `recommendations` lists. */
  recommendation: string
  /** A command that can be pasted into a shell: it mends the cause, or shows where it lies. */
  remedy: string
}

export type HealthStatus = 'HEALTHY' | 'WARNING' | 'CRITICAL' | 'UNKNOWN'

/** The worst finding decides. What could not be judged outranks "healthy", and nothing else. */
export function overallStatus(findings: readonly Finding[]): HealthStatus {
  for (const severity of ['CRITICAL', 'WARNING', 'UNKNOWN'] as const) {
    if (findings.some((finding) => finding.severity === severity)) return severity
  }
  return 'HEALTHY'
}
