import { describe, expect, it } from 'vitest'
import { fieldMapText, parseFieldMap } from './field-map.js'

describe('parseFieldMap', () => {
  it('reads pairs, with white space around them and = in names of fields, and writes them again', () => {
    const map = parseFieldMap('user_id = who, value=a=b')

    expect(map).toEqual({ user_id: 'who', value: 'a=b' })
    expect(parseFieldMap(fieldMapText(map))).toEqual(map)
  })

  it.each(['', 'user=who', 'user_id', 'user_id=', 'user_id=a,,', 'user_id=a,user_id=b'])(
    'refuses %j',
    (text) => {
      expect(() => parseFieldMap(text)).toThrow(/user_id/)
    },
  )
})
