import { expect, it } from 'vitest'
import { windowKey } from './user-event-windows.js'

it('gives every user and event type a key of its own, whatever is in their names', () => {
  const names = ['a', 'a#1', '1#a', '#', '##', '%23', '%2523', '']
  const keys = names.flatMap((user) => names.map((type) => windowKey(user, type)))

  expect(new Set(keys).size).toBe(names.length ** 2)
  expect(windowKey('user_0001', 'CLICK')).toBe('user_0001#CLICK')
})
