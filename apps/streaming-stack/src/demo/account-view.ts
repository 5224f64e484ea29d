import { styleText } from 'node:util'
import type { RunReport } from './run-demo.js'

/** The account as people read it. */
export function accountText(report: RunReport): string {
  const number = (value: number) => value.toLocaleString('en-US')
  const row = (name: string, value: string, note = '') =>
    `  ${name.padEnd(16)}${value.padStart(10)}   ${note}`.trimEnd()
  const ms = (value: number | null) => (value === null ? '-' : `${value} ms`)
  const reasons = Object.entries(report.rejectedByReason)
    .map(([reason, count]) => `${reason} ${number(count)}`)
    .join(', ')
  return [
    headline(report),
    ...(report.skippedLines > 0
      ? [row('skipped lines', number(report.skippedLines), 'could not be read: in nothing of the below')]
      : []),
    row('produced', number(report.produced), '= stored + rejected + dead-lettered'),
    row('stored', number(report.stored), 'in the table'),
    row('rejected', number(report.rejected), reasons),
    row('dead-lettered', number(report.deadLettered)),
    row(
      'delivered',
      number(report.delivered),
      `in the lake = produced - ${number(report.undecodable)} undecodable`,
    ),
    row('windowed', number(report.windowed), 'in one-minute windows by user and event type'),
    row('lost', number(report.lost)),
    row('duplicated', number(report.duplicated), `lake repeats ${number(report.lakeDuplicates)}`),
    row('out of order', number(report.outOfOrder), 'per partition key'),
    row('latency', ms(report.p50LatencyMs), `p50, from put to stored; p99 ${ms(report.p99LatencyMs)}`),
    row('peak memory', `${Math.round(report.peakRssBytes / 1_048_576)} MiB`, 'all processes'),
    ...(report.repeatedIds > 0
      ? [
          row(
            'repeated ids',
            number(report.repeatedIds),
            'events put under an id that came before: counted once',
          ),
        ]
      : []),
    ...(report.failedPuts > 0
      ? [row('failed puts', number(report.failedPuts), 'the generator was told')]
      : []),
    ...(report.crashes > 0
      ? [row('crashes', number(report.crashes), 'of the processor, between write and answer')]
      : []),
    ...report.imbalances.map((imbalance) => styleText('red', `  ✘ ${imbalance}`)),
    healthText(report),
  ].join('\n')
}

function headline({ balanced, produced, skippedLines }: RunReport): string {
  if (!balanced) return styleText('red', '✘ The account does not balance')
  if (produced === 0 && skippedLines > 0)
    return styleText('yellow', '✔ The account balances, but nothing was put: every line was skipped')
  return styleText('green', '✔ The account balances')
}

function healthText({ health }: RunReport): string {
  const colour = health.overallStatus === 'HEALTHY' ? 'green' : 'yellow'
  const lines = [`  health          ${styleText(colour, health.overallStatus)}`]
  for (const finding of health.findings) lines.push(`    ${finding.rule}: ${finding.evidence}`)
  return lines.join('\n')
}
