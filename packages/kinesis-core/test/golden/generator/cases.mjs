const record = (partitionKey, data, explicitHashKey = null) => ({
  partitionKey,
  explicitHashKey,
  data: Buffer.from(data).toString('hex'),
})
const many = (count, make) => Array.from({ length: count }, (_, index) => make(index))
const MAX_HASH_KEY = `${(1n << 128n) - 1n}`

/** All have two records or more: KPL sends a record that is alone as it is. */
export const cases = [
  {
    name: 'two records of one key',
    records: [record('user_0001', '{"n":1}'), record('user_0001', '{"n":2}')],
  },
  {
    name: 'explicit hash keys, the smallest, the largest, one twice',
    records: [
      record('a', 'zero', '0'),
      record('b', 'largest', MAX_HASH_KEY),
      record('a', 'half', '170141183460469231731687303715884105728'),
      record('c', 'largest again', MAX_HASH_KEY),
    ],
  },
  {
    name: 'some explicit hash keys, an empty record',
    records: [record('a', 'none'), record('b', 'five', '5'), record('a', ''), record('b', 'none again')],
  },
  {
    name: 'keys of several bytes per character',
    records: [record('ключ', 'two bytes'), record('鍵', 'three bytes'), record('🔑', 'four bytes')],
  },
  {
    name: 'keys that look like numbers, out of order',
    records: [record('10', 'ten'), record('9', 'nine'), record('10', 'ten again'), record('1', 'one')],
  },
  {
    name: 'the longest key, and data of every byte',
    records: [record('k'.repeat(256), Uint8Array.from(many(256, (byte) => byte))), record('a', 'x')],
  },
  {
    name: 'two hundred keys, so that indices take two bytes',
    records: many(200, (n) => record(`user_${n}`, `${n}`)),
  },
  {
    name: 'a record whose length takes three bytes',
    records: [record('a', 'x'.repeat(16_400)), record('b', 'y')],
  },
]
