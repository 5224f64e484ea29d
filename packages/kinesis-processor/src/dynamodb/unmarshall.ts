import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Item } from './marshall.js'

/** An item that `marshallItem` made, as the object that it was. Numbers become doubles. */
export function unmarshallItem(item: Item): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, unmarshallValue(value)]))
}

function unmarshallValue(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S
  if (value.N !== undefined) return Number(value.N)
  if (value.BOOL !== undefined) return value.BOOL
  if (value.NULL !== undefined) return null
  if (value.B !== undefined) return value.B
  if (value.L !== undefined) return value.L.map(unmarshallValue)
  if (value.M !== undefined) return unmarshallItem(value.M)
  throw new TypeError(`An attribute of type ${Object.keys(value)[0]} is of no item that was stored here.`)
}
