/**
 * The names and edges of one pipeline. The CDK app and the local run emit the same document, so that the monitor and
 * whatever else looks at a pipeline needs no names configured by hand.
 */
export interface TopologyManifest {
  version: 1
  /** Where it runs: AWS, or one machine. */
  kind: 'aws' | 'local'
  region: string
  /** Set for a local run: the base URL of all services. */
  endpointUrl?: string
  nodes: TopologyNode[]
  edges: TopologyEdge[]
}

export type TopologyNodeKind =
  | 'stream'
  | 'function'
  | 'table'
  | 'queue'
  | 'bucket'
  | 'folder'
  | 'delivery-stream'
  | 'topic'

export interface TopologyNode {
  /** Unique in the manifest, and stable over deployments: `stream`, `stream-processor`, `processed-data`. */
  id: string
  kind: TopologyNodeKind
  /** The name that API calls take. */
  name: string
  arn?: string
}

export interface TopologyEdge {
  from: string
  to: string
  /** What flows: `reads` of a consumer, `writes` of a sink, `rejects`, `dead-letters`, `transforms`. */
  kind: 'reads' | 'writes' | 'rejects' | 'dead-letters' | 'transforms'
}
