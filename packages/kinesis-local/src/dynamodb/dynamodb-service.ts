import { setImmediate } from 'node:timers/promises'
import { type LocalService, ServiceError } from '../service.js'
import type { Dynalite } from './run-dynalite.js'
import { TimeToLiveSettings } from './time-to-live-settings.js'

/** Deeper than DynamoDB's 32 levels of attributes can be; deeper input would overflow the stack of whoever walks it. */
const MAX_DEPTH = 200

/**
 * DynamoDB in process and in memory, by dynalite. Binary values are base64 text, as in JSON on the wire. It has no transactions, streams,
 * PartiQL or backups; time to live can be switched on, as stacks do, and nothing expires.
 */
export class DynamoDbService implements LocalService {
  readonly targetPrefix = 'DynamoDB_20120810'
  #dynalite: Promise<Dynalite> | undefined
  readonly #timeToLive = new TimeToLiveSettings()

  constructor(
    private readonly region: string,
    private readonly accountId: string,
  ) {}

  async call(operation: string, input: Record<string, unknown>): Promise<unknown> {
    if (isDeeperThan(input, MAX_DEPTH)) {
      throw new ServiceError('ValidationException', 'Nesting Levels have exceeded supported limits')
    }
    // Loaded when it is first used: whoever has no tables does not pay for it.
    this.#dynalite ??= import('./run-dynalite.js').then(
      ({ Dynalite }) => new Dynalite(this.region, this.accountId),
    )
    const dynalite = await this.#dynalite
    const describe = async () => {
      await dynalite.run('DescribeTable', { TableName: input.TableName })
    }
    if (operation === 'UpdateTimeToLive') return this.#timeToLive.update(input, describe)
    if (operation === 'DescribeTimeToLive') return this.#timeToLive.describe(input, describe)
    const result = await dynalite.run(operation, input)
    if (operation === 'DeleteTable') this.#timeToLive.forget(input)
    if (/^(Create|Update|Delete)Table$/.test(operation)) await settled(dynalite, input)
    return result
  }

  async close(): Promise<void> {
    await (await this.#dynalite)?.close()
  }
}

/** The answer tells of the change as the service does, in progress; whoever has the answer finds it done. */
async function settled(dynalite: Dynalite, { TableName }: Record<string, unknown>): Promise<void> {
  for (;;) {
    const described = dynalite.run('DescribeTable', { TableName }) as Promise<{
      Table: { TableStatus: string }
    }>
    const status = await described.then(
      ({ Table }) => Table.TableStatus,
      () => 'GONE',
    )
    if (status === 'ACTIVE' || status === 'GONE') return
    await setImmediate()
  }
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const member of Object.values(value)) if (isDeeperThan(member, levels - 1)) return true
  return false
}
