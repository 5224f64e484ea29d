import type { RecordTag } from './format.js'

/** Which producer put a record, and as its how-manieth: the same for every resend of the record, and for no other record. */
export interface ProducerSequence {
  producerId: string
  /** From 1. */
  sequence: number
}

/** Short, because it is in every record. */
const KEY = 'p'

/** A tag for the format's reserved field, which KCL and other readers pass over. */
export function producerTag({ producerId, sequence }: ProducerSequence): RecordTag {
  return { key: KEY, value: `${producerId}:${sequence}` }
}

/** Undefined where the record has no such tag. Any bytes may stand there: what is none of ours is none. */
export function readProducerTag(tags: readonly RecordTag[]): ProducerSequence | undefined {
  const value = tags.find(({ key }) => key === KEY)?.value
  const parts = /^(.{1,128}):([1-9]\d{0,15})$/s.exec(value ?? '')
  if (parts === null) return undefined
  const sequence = Number(parts[2])
  return Number.isSafeInteger(sequence) ? { producerId: parts[1]!, sequence } : undefined
}
