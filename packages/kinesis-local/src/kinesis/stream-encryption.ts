import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import { constraint, type Request } from './request.js'

export type EncryptionType = 'NONE' | 'KMS'

/** Records from `fromCounter` on are of that type. */
export interface EncryptionChange {
  fromCounter: number
  type: EncryptionType
}

/** What a stream says of its encryption. Nothing is encrypted, and no key is looked for. */
export class StreamEncryption {
  keyId: string | undefined
  /** Before the first, records are of none. */
  #changes: EncryptionChange[] = []

  get changes(): readonly EncryptionChange[] {
    return this.#changes
  }

  get type(): EncryptionType {
    return this.#changes.at(-1)?.type ?? 'NONE'
  }

  change(type: EncryptionType, keyId: string | undefined, fromCounter: number): void {
    this.keyId = keyId
    if (type !== this.type) this.#changes.push({ fromCounter, type })
  }

  restore(keyId: string | undefined, changes: readonly EncryptionChange[]): void {
    this.keyId = keyId
    this.#changes = [...changes]
  }

  /** That of the record, which was written before or after the change. */
  typeOf(counter: number): EncryptionType {
    if (this.#changes.length === 0) return 'NONE'
    return this.#changes.findLast(({ fromCounter }) => fromCounter <= counter)?.type ?? 'NONE'
  }
}

export function changeEncryption(
  { streams }: KinesisContext,
  request: Request,
  to: EncryptionType,
): undefined {
  const stream = streams.active(request)
  const type = request.oneOf('EncryptionType', ['NONE', 'KMS'])
  const keyId = request.string('KeyId')
  if (keyId.length < 1 || keyId.length > 2_048) {
    throw constraint('KeyId', `'${keyId.slice(0, 100)}'`, 'Member must have length between 1 and 2048')
  }
  if (type !== 'KMS') {
    throw new ServiceError('InvalidArgumentException', 'The only valid value of EncryptionType is KMS.')
  }
  stream.encryption.change(to, to === 'KMS' ? keyId : undefined, stream.counter)
  streams.begin(stream, 'UPDATING')
}
