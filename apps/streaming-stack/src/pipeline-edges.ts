import type { TopologyEdge, TopologyNode } from '@org/kinesis-core'

const edges: readonly TopologyEdge[] = [
  { from: 'stream', to: 'stream-processor', kind: 'reads' },
  { from: 'stream-processor', to: 'processed-data', kind: 'writes' },
  { from: 'stream-processor', to: 'rejected', kind: 'rejects' },
  { from: 'rejected', to: 'rejected-dead-letters', kind: 'dead-letters' },
  { from: 'stream-processor', to: 'failures', kind: 'dead-letters' },
  { from: 'stream', to: 'windows', kind: 'reads' },
  { from: 'windows', to: 'window-results', kind: 'writes' },
  { from: 'windows', to: 'failures', kind: 'dead-letters' },
  { from: 'windows', to: 'window-failures', kind: 'dead-letters' },
  { from: 'stream', to: 'delivery', kind: 'reads' },
  { from: 'data-transform', to: 'delivery', kind: 'transforms' },
  { from: 'delivery', to: 'data-lake', kind: 'writes' },
]

/**
 * What flows in the pipeline, deployed or on one machine: the same, between the nodes that there are. Where windows have a failure
 * destination of their own, theirs is that one.
 */
export function pipelineEdges(nodes: readonly TopologyNode[]): TopologyEdge[] {
  const ids = new Set(nodes.map(({ id }) => id))
  const isShared = ({ from, to }: TopologyEdge) => from === 'windows' && to === 'failures'
  return edges.filter(
    (edge) => ids.has(edge.from) && ids.has(edge.to) && !(ids.has('window-failures') && isShared(edge)),
  )
}
