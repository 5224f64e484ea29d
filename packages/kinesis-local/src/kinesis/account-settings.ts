import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import { missing, Request } from './request.js'

/** What is set for the whole account. */
export class AccountSettings {
  /** Since when, in epoch seconds. The service keeps an account to it for a day; here it ends when asked. */
  commitment: { startedAt: number; endedAt?: number } | undefined

  get hasThroughputCommitment(): boolean {
    return this.commitment !== undefined && this.commitment.endedAt === undefined
  }
}

export function describeAccountSettings({ account }: KinesisContext): unknown {
  return { MinimumThroughputBillingCommitment: describe(account) }
}

export function updateAccountSettings({ account, clock }: KinesisContext, request: Request): unknown {
  const asked = request.object('MinimumThroughputBillingCommitment')
  if (asked === undefined) throw missing('MinimumThroughputBillingCommitment')
  const enable = new Request(asked).oneOf('Status', ['ENABLED', 'DISABLED']) === 'ENABLED'
  if (enable === account.hasThroughputCommitment) {
    throw new ServiceError(
      'InvalidArgumentException',
      `MinimumThroughputBillingCommitment is ${enable ? 'ENABLED' : 'DISABLED'} already.`,
    )
  }
  const now = clock.now() / 1000
  account.commitment = enable
    ? { startedAt: now }
    : { startedAt: account.commitment!.startedAt, endedAt: now }
  return describeAccountSettings({ account } as KinesisContext)
}

function describe({ commitment, hasThroughputCommitment }: AccountSettings) {
  return {
    Status: hasThroughputCommitment ? 'ENABLED' : 'DISABLED',
    ...(commitment === undefined ? {} : { StartedAt: commitment.startedAt }),
    ...(commitment?.endedAt === undefined ? {} : { EndedAt: commitment.endedAt }),
  }
}
