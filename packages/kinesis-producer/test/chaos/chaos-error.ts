import type { Journal } from './journal.ts'
import { describe, type LoggedRequest, requestsOf } from './request-log.ts'
import type { Scenario } from './scenario.ts'
import type { Violation } from './violation.ts'

const MAX_VIOLATIONS = 5
const MAX_PUTS = 2
const MAX_REQUESTS = 12

/** What a producer did wrong in one seed, told so that a person can follow it: the rule, the records, the requests that carried them. */
export class ChaosError extends Error {
  override name = 'ChaosError'
  readonly violations: readonly Violation[]

  private constructor(message: string, violations: readonly Violation[], cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.violations = violations
  }

  static of(
    scenario: Scenario,
    journal: Journal,
    log: readonly LoggedRequest[],
    why: readonly Violation[] | unknown,
  ): ChaosError {
    const violations = Array.isArray(why) ? (why as Violation[]) : []
    const lines = violations
      .slice(0, MAX_VIOLATIONS)
      .flatMap(({ rule, message, puts }) => [
        `- ${rule}: ${message}`,
        ...puts.slice(0, MAX_PUTS).flatMap((number) => storyOf(number, journal, log)),
      ])
    if (violations.length > MAX_VIOLATIONS) lines.push(`- and ${violations.length - MAX_VIOLATIONS} more`)
    if (violations.length === 0) {
      lines.push(`- it broke off: ${why instanceof Error ? why.message : why}`)
      const open = journal.puts.filter(({ settledAtMs }) => settledAtMs === undefined)
      if (open.length > 0)
        lines.push(`  ${open.length} of ${journal.puts.length} puts are open, put ${open[0]!.number} first`)
      if (open.length > 0) lines.push(...storyOf(open[0]!.number, journal, log))
      lines.push(...log.slice(-5).map((request) => `  last: ${describe(request)}`))
    }
    return new ChaosError(
      `${lines.join('\n')}\n  scenario: ${shown(scenario)}`,
      violations,
      violations.length === 0 ? why : undefined,
    )
  }
}

function storyOf(number: number, { puts }: Journal, log: readonly LoggedRequest[]): string[] {
  const put = puts[number]
  if (put === undefined) return []
  const { partitionKey, explicitHashKey, data, receipt, error, atMs, settledAtMs } = put
  const key =
    JSON.stringify(partitionKey.slice(0, 20)) +
    (explicitHashKey === undefined ? '' : ` at ${explicitHashKey}`)
  const outcome =
    receipt !== undefined
      ? `receipt ${JSON.stringify(receipt)}`
      : error !== undefined
        ? `${error.code}, maybeDelivered: ${error.maybeDelivered}`
        : 'open'
  const settled = settledAtMs === undefined ? '' : ` after ${(settledAtMs - atMs).toFixed(0)} ms`
  const carried = requestsOf(number, log)
  return [
    `  put ${number}: key ${key}, ${data.length} bytes, ${outcome}${settled}`,
    ...carried.slice(0, MAX_REQUESTS).map((line) => `    ${line}`),
    ...(carried.length > MAX_REQUESTS ? [`    and ${carried.length - MAX_REQUESTS} more requests`] : []),
    ...(carried.length === 0 ? ['    no request carried it'] : []),
  ]
}

function shown(scenario: Scenario): string {
  return JSON.stringify(scenario, (_, value: unknown) =>
    value === Number.POSITIVE_INFINITY ? 'Infinity' : value,
  )
}
