import type { Finding } from './finding.js'
import type { HealthRule } from './stream-rules.js'
import { count, duration, percent } from './wording.js'

export const functionErrors: HealthRule = ({ functions, cliSuffix }, { criticalShare }) =>
  functions.flatMap((one): Finding[] => {
    const errors = one.errors.sum ?? 0
    if (errors === 0) return []
    const invocations = Math.max(one.invocations.sum ?? 0, errors)
    return [
      {
        severity: errors / invocations >= criticalShare ? 'CRITICAL' : 'WARNING',
        rule: 'function-errors',
        subject: one.name,
        issue: `Function ${one.name} fails`,
        evidence: `${count(errors, 'error')} in ${count(invocations, 'invocation')} (${percent(errors / invocations)})`,
        cause: one.readsStream
          ? 'The handler threw, ran out of time or memory; the batch is repeated and its shard waits.'
          : 'The handler threw, ran out of time or memory; the delivery repeats the batch, then sets it aside.',
        recommendation: 'Read the log of the function',
        remedy: `aws logs tail /aws/lambda/${one.name} --since 15m --filter-pattern ERROR${cliSuffix}`,
      },
    ]
  })

export const functionThrottled: HealthRule = ({ functions, cliSuffix }) =>
  functions.flatMap((one): Finding[] => {
    const throttles = one.throttles.sum ?? 0
    if (throttles === 0) return []
    return [
      {
        severity: 'WARNING',
        rule: 'function-throttled',
        subject: one.name,
        issue: `Function ${one.name} is throttled`,
        evidence: `${count(throttles, 'invocation')} throttled`,
        cause: 'Its reserved concurrency, or the concurrency of the account, is used up.',
        recommendation:
          'Raise or remove the reserved concurrency: shards × parallelization factor is what it needs',
        remedy: `aws lambda get-function-concurrency --function-name ${one.name}${cliSuffix}`,
      },
    ]
  })

export const deliveryStale: HealthRule = (snapshot, { deliveryFreshnessMs, retentionShare }) =>
  snapshot.deliveryStreams.flatMap((one): Finding[] => {
    const seconds = one.dataFreshness.datapoints.at(-1)?.maximum
    if (seconds === undefined || seconds * 1_000 < deliveryFreshnessMs) return []
    const used = (seconds * 1_000) / snapshot.stream.retentionMs
    return [
      {
        severity: used >= retentionShare ? 'CRITICAL' : 'WARNING',
        rule: 'delivery-stale',
        subject: one.name,
        issue: `Delivery stream ${one.name} is late`,
        evidence: `The oldest record not yet delivered is ${duration(seconds * 1_000)} old, ${percent(used)} of the retention`,
        cause: 'The destination or the transform fails, or permission to one of them is missing.',
        recommendation: 'Look at the delivery errors, and at the transform',
        remedy: `aws firehose describe-delivery-stream --delivery-stream-name ${one.name}${snapshot.cliSuffix}`,
      },
    ]
  })

export const deliveryFailing: HealthRule = (snapshot) =>
  snapshot.deliveryStreams.flatMap((one): Finding[] => {
    const success = one.deliverySuccess.average
    if (success === undefined || success >= 1) return []
    return [
      {
        severity: 'WARNING',
        rule: 'delivery-failing',
        subject: one.name,
        issue: `Delivery stream ${one.name} fails to deliver`,
        evidence: `${percent(success)} of the deliveries succeeded`,
        cause: 'The bucket refuses some of the writes: permission, key or throttling.',
        recommendation: 'Read the delivery error log',
        remedy: `aws logs tail /aws/kinesisfirehose/${one.name} --since 1h${snapshot.cliSuffix}`,
      },
    ]
  })
