import type { DeliveryFailure } from './delivery-failure.js'
import { MAX_PREFIX_LENGTH, type Prefix } from './prefix-expression.js'

export type Partition =
  | { kind: 'partition'; id: string; keys: Readonly<Record<string, string>> }
  | { kind: 'failure'; failure: DeliveryFailure }

const WHOLE: Partition = { kind: 'partition', id: '', keys: {} }

/** Which partition a record belongs to: the keys that the prefix names, of those that the transform returned. */
export function readPartition(prefix: Prefix, returned: unknown): Partition {
  if (prefix.partitionKeys.length === 0) return WHOLE
  const values: string[] = []
  for (const name of prefix.partitionKeys) {
    const value =
      typeof returned === 'object' && returned !== null && Object.hasOwn(returned, name)
        ? (returned as Record<string, unknown>)[name]
        : undefined
    if (typeof value !== 'string' || value === '')
      return failed(`The partition key ${name} is missing or empty.`)
    values.push(value)
  }
  const keys = Object.fromEntries(prefix.partitionKeys.map((name, index) => [name, values[index]!]))
  const expanded = prefix.expand({ atMs: 0, partitionKeys: keys, randomString: () => 'x'.repeat(11) })
  if (expanded.length > MAX_PREFIX_LENGTH) {
    return failed(`The prefix has more than ${MAX_PREFIX_LENGTH} characters with these partition keys.`)
  }
  return { kind: 'partition', id: JSON.stringify(values), keys }
}

function failed(errorMessage: string): Partition {
  return {
    kind: 'failure',
    failure: {
      outputType: 'processing-failed',
      errorCode: 'DynamicPartitioning.MetadataExtractionFailed',
      errorMessage,
      attemptsMade: 1,
    },
  }
}
