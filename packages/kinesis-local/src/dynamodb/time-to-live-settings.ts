import { ServiceError } from '../service.js'

/** Which attribute of each table holds its expiry. It is remembered and told; nothing expires. */
export class TimeToLiveSettings {
  readonly #attributes = new Map<string, string>()

  async update(input: Record<string, unknown>, checkTable: () => Promise<void>): Promise<unknown> {
    await checkTable()
    const { AttributeName: attribute, Enabled: enabled } = (input.TimeToLiveSpecification ?? {}) as {
      AttributeName?: unknown
      Enabled?: unknown
    }
    if (typeof attribute !== 'string' || attribute === '' || typeof enabled !== 'boolean') {
      throw new ServiceError(
        'ValidationException',
        'TimeToLiveSpecification needs an AttributeName and Enabled.',
      )
    }
    const table = String(input.TableName)
    const known = this.#attributes.get(table)
    if ((known !== undefined) === enabled) {
      throw new ServiceError(
        'ValidationException',
        `TimeToLive is already ${enabled ? 'enabled' : 'disabled'}`,
      )
    }
    if (enabled) this.#attributes.set(table, attribute)
    else this.#attributes.delete(table)
    return { TimeToLiveSpecification: { AttributeName: attribute, Enabled: enabled } }
  }

  async describe(input: Record<string, unknown>, checkTable: () => Promise<void>): Promise<unknown> {
    await checkTable()
    const attribute = this.#attributes.get(String(input.TableName))
    return {
      TimeToLiveDescription:
        attribute === undefined
          ? { TimeToLiveStatus: 'DISABLED' }
          : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute },
    }
  }

  forget(input: Record<string, unknown>): void {
    this.#attributes.delete(String(input.TableName))
  }
}
