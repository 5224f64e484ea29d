import { InvalidOptionError, type TopologyManifest, type TopologyNode } from '@org/kinesis-core'

/** What stands around a stream, by name. */
export interface StreamNeighbours {
  functions: { name: string; readsStream: boolean }[]
  deliveryStreams: string[]
  /** Functions and delivery streams that read the stream; one where no topology says. */
  readers: number
}

export const NO_NEIGHBOURS: StreamNeighbours = { functions: [], deliveryStreams: [], readers: 1 }

/** The stream that is meant: the one named, or the only one of the topology. */
export function resolveStreamName(streamName: string | undefined, topology?: TopologyManifest): string {
  if (streamName !== undefined) {
    if (/^[\w.-]{1,128}$/.test(streamName)) return streamName
    throw new InvalidOptionError(
      'streamName',
      streamName,
      'Use 1 to 128 letters, digits, underscores, hyphens and full stops.',
    )
  }
  if (topology === undefined) {
    throw new InvalidOptionError(
      'streamName',
      streamName,
      'Pass streamName, or a topology that holds a stream.',
    )
  }
  const streams = topology.nodes.filter((node) => node.kind === 'stream')
  const [only] = streams
  if (only === undefined || streams.length > 1) {
    const names = streams.map((node) => node.name).join(', ')
    const remedy =
      only === undefined ? 'It holds no stream.' : `It holds several streams (${names}): pass streamName.`
    throw new InvalidOptionError('topology', topology, remedy)
  }
  return only.name
}

/** Follows the edges from the stream: its readers, and what transforms for them. */
export function neighboursOf(streamName: string, topology: TopologyManifest): StreamNeighbours {
  const byId = new Map(topology.nodes.map((node) => [node.id, node]))
  const stream = topology.nodes.find((node) => node.kind === 'stream' && node.name === streamName)
  if (stream === undefined) return NO_NEIGHBOURS
  // An edge joins two nodes; which of them it begins at is a matter of reading it, so both ways count.
  const joined = (node: TopologyNode, kind: 'reads' | 'transforms') =>
    topology.edges
      .filter((edge) => edge.kind === kind && (edge.from === node.id || edge.to === node.id))
      .map((edge) => byId.get(edge.from === node.id ? edge.to : edge.from))
      .filter((other) => other !== undefined)

  const readers = joined(stream, 'reads')
  const deliveryStreams = readers.filter((node) => node.kind === 'delivery-stream')
  const readingFunctions = readers.filter((node) => node.kind === 'function')
  const transforms = deliveryStreams
    .flatMap((node) => joined(node, 'transforms'))
    .filter((node) => node.kind === 'function' && !readingFunctions.includes(node))
  return {
    functions: [
      ...readingFunctions.map(({ name }) => ({ name, readsStream: true })),
      ...[...new Set(transforms)].map(({ name }) => ({ name, readsStream: false })),
    ],
    deliveryStreams: deliveryStreams.map((node) => node.name),
    readers: readingFunctions.length + deliveryStreams.length,
  }
}
