import { ServiceError } from '../service.js'

/** Signatures are good for so long, before and after (General Reference, "Elements of an AWS API request signature"). */
const TOLERANCE_MS = 5 * 60_000

/**
 * Refuses a request whose signature is too old or too young for a service whose clock says `serviceNowMs`, as AWS does. The answer's
 * date lets SDKs mend their own clock and try again.
 */
export function refuseSkewed(amzDate: string | undefined, serviceNowMs: number): void {
  const signedAtMs = parseAmzDate(amzDate)
  if (signedAtMs === undefined || Math.abs(signedAtMs - serviceNowMs) <= TOLERANCE_MS) return
  const [signed, now] = [amzDateOf(signedAtMs), amzDateOf(serviceNowMs)]
  const edge = amzDateOf(serviceNowMs - TOLERANCE_MS)
  const message =
    signedAtMs < serviceNowMs
      ? `Signature expired: ${signed} is now earlier than ${edge} (${now} - 5 min.)`
      : `Signature not yet current: ${signed} is still later than ${amzDateOf(serviceNowMs + TOLERANCE_MS)} (${now} + 5 min.)`
  throw new ServiceError('InvalidSignatureException', message, 400, dateHeader(serviceNowMs))
}

export function dateHeader(nowMs: number): { date: string } {
  return { date: new Date(nowMs).toUTCString() }
}

/** `20261124T031500Z` */
function parseAmzDate(text: string | undefined): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '')
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

function amzDateOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}
