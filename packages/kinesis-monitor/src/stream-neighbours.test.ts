import { InvalidOptionError, type TopologyManifest } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { neighboursOf, resolveStreamName } from './stream-neighbours.js'

const topology: TopologyManifest = {
  version: 1,
  kind: 'local',
  region: 'us-east-1',
  nodes: [
    { id: 'stream', kind: 'stream', name: 'clicks' },
    { id: 'processor', kind: 'function', name: 'clicks-processor' },
    { id: 'windows', kind: 'function', name: 'clicks-windows' },
    { id: 'delivery', kind: 'delivery-stream', name: 'clicks-delivery' },
    { id: 'transform', kind: 'function', name: 'clicks-transform' },
    { id: 'table', kind: 'table', name: 'clicks-table' },
    { id: 'stranger', kind: 'function', name: 'stranger' },
  ],
  edges: [
    { from: 'stream', to: 'processor', kind: 'reads' },
    { from: 'windows', to: 'stream', kind: 'reads' },
    { from: 'stream', to: 'delivery', kind: 'reads' },
    { from: 'delivery', to: 'transform', kind: 'transforms' },
    { from: 'processor', to: 'table', kind: 'writes' },
  ],
}

describe('neighboursOf', () => {
  it('finds the readers of a stream and what transforms for them, whichever way the edges point', () => {
    expect(neighboursOf('clicks', topology)).toEqual({
      functions: [
        { name: 'clicks-processor', readsStream: true },
        { name: 'clicks-windows', readsStream: true },
        { name: 'clicks-transform', readsStream: false },
      ],
      deliveryStreams: ['clicks-delivery'],
      readers: 3,
    })
  })

  it('expects one reader of a stream that the topology does not hold', () => {
    expect(neighboursOf('other', topology)).toEqual({ functions: [], deliveryStreams: [], readers: 1 })
  })
})

describe('resolveStreamName', () => {
  it('takes the only stream of the topology', () => {
    expect(resolveStreamName(undefined, topology)).toBe('clicks')
  })

  it('asks for a name where the topology leaves a choice, or none', () => {
    const second = { id: 'second', kind: 'stream', name: 'views' } as const
    const two = { ...topology, nodes: [...topology.nodes, second] }
    const none = { ...topology, nodes: [] }

    expect(resolveStreamName('views', two)).toBe('views')
    expect(() => resolveStreamName(undefined, two)).toThrow(/clicks, views/)
    expect(() => resolveStreamName(undefined, none)).toThrow(InvalidOptionError)
    expect(() => resolveStreamName(undefined)).toThrow(InvalidOptionError)
  })

  it.each(['', 'a b', 'x'.repeat(129), '$(reboot)'])('refuses %j as a name', (name) => {
    expect(() => resolveStreamName(name)).toThrow(InvalidOptionError)
  })
})
